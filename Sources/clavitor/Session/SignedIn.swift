import Crypto
import Encoding
import FoundationEssentials
import VaultFormat
import Wire

/// An authenticated node client: of the owner with the stored session, or of an agent with its token.
final class SignedIn {
    let context: CommandContext
    private(set) var node: NodeClient
    /// The owner's account; nil for an agent.
    private(set) var account: Account?
    /// The keys of a password that was entered during this command.
    private var keys: AccountKeys?
    /// Entries about whose L2 fields a note was printed.
    private var noted: Set<String> = []

    init(context: CommandContext, node: NodeClient, account: Account?, keys: AccountKeys? = nil) {
        self.context = context
        self.node = node
        self.account = account
        self.keys = keys
        if let token = account?.session?.token { self.node.token = token }
    }

    var isAgent: Bool { account == nil }

    func send<Answer: Decodable>(_ request: NodeRequest, as answer: Answer.Type = Answer.self) async throws -> Answer {
        try await reauthenticating { try await self.node.send(request, as: Answer.self) }
    }

    func send(_ request: NodeRequest) async throws {
        try await reauthenticating { try await self.node.send(request) }
    }

    // MARK: Password

    /// The owner's account, for commands that agents cannot use.
    func owner() throws -> Account {
        guard let account else {
            throw CommandFailure(.refused, "An agent cannot do this.", hint: "Omit --token-file and sign in.")
        }
        return account
    }

    /// The keys of the account's password, which is asked for at most once per command.
    func passwordKeys() async throws -> AccountKeys {
        if let keys { return keys }
        let account = try owner()
        let password = Password(try context.secrets.password(for: account.email))
        // Derived with the pinned parameters, not with the node's.
        let derived = try SignIn.Terms(account.pins.prelogin).keys(of: password)
        keys = derived
        return derived
    }

    /// The l2Key, unwrapped with the password.
    func l2Key() async throws -> L2Key {
        let account = try owner()
        let keys = try await passwordKeys()
        do throws(L2Failure) {
            return try L2Key(account.l2.body, by: keys.l2WrapKey, vault: try account.vault())
        } catch {
            self.keys = nil
            throw CommandFailure(
                .refused, "The password is wrong, or it was changed on another machine.",
                hint: "If the password was changed: clavitor login")
        }
    }

    /// Whether the password was entered, so that L2 values can be opened without asking.
    var hasKeys: Bool { keys != nil }

    /// Whether this is the first note about an entry.
    func noteOnce(_ entry: String) -> Bool { noted.insert(entry).inserted }

    /// Sends a change of a credential with a proof of the password, and repeats it with a prompted code if the node requires one.
    func proving<Result>(_ options: CodeOptions, _ send: (ProofBody) async throws -> Result) async throws -> Result {
        let secret = try await passwordKeys().authKey.base64URL
        do {
            return try await context.withSecondFactor(options.totp) { code in
                try await send(ProofBody(kind: "password", secret: secret, code: code))
            }
        } catch let problem as Problem where problem.code == .wrongProof {
            keys = nil
            throw CommandFailure(
                .refused, "The password is wrong, or it was changed on another machine.",
                hint: "If the password was changed: clavitor login")
        }
    }

    // MARK: Sessions

    /// Stores the new session from the response to a credential change.
    func adopt(_ session: SessionBody, keys: AccountKeys) throws {
        try owner().pins.check(vault: session.vault)
        guard let l2 = session.l2 else {
            throw CommandFailure(.failed, "The node sent no wrapped L2 key.", hint: "clavitor login")
        }
        try owner().l2.check(l2.generation)
        try keep { account in
            account.session = .init(id: session.id, token: session.token, expiresAt: session.expiresAt)
            account.l2 = .init(l2, after: account.l2)
            account.device = session.device
        }
        self.keys = keys
    }

    /// Stores the next generation of the l2Key.
    func adopt(_ l2: L2Body) throws {
        try keep { $0.l2 = .init(l2, after: $0.l2) }
    }

    func keep(_ change: (inout Account) -> Void) throws {
        var account = try owner()
        change(&account)
        try context.sessions.update(account, change)
        use(account)
    }

    private func use(_ account: Account) {
        self.account = account
        node.token = account.session?.token
    }

    /// Runs `body`. If the node requires a recent sign-in, signs in again and repeats it once. If a concurrent command has
    /// replaced the session, repeats it with the newer one.
    private func reauthenticating<Result>(_ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch let problem as Problem where problem.code == .reauthenticate && account != nil {
            try await renew()
            return try await body()
        } catch let problem as Problem where problem.status == 401 {
            guard let account, let server = ServerAddress(account.server),
                let known = try context.sessions.account(account.email, on: server), let session = known.session,
                session != account.session, known.pins == account.pins
            else { throw problem }
            use(known)
            return try await body()
        }
    }

    /// Signs in again with the password.
    func renew(code: String? = nil) async throws {
        let account = try owner()
        let keys = try await passwordKeys()
        var anonymous = node
        anonymous.token = nil
        let signIn = try SignIn(context: context, node: anonymous, email: account.email)
        // The response must match the pinned parameters.
        let terms = try await signIn.terms(pinned: account.pins)
        use(try await signIn.login(keys: keys, terms: terms, code: code))
    }
}

extension CommandContext {
    /// Runs `body` authenticated: as the agent of the given token, otherwise as the owner.
    func signedIn<Result>(_ body: (SignedIn) async throws -> Result) async throws -> Result {
        if let tokenFile {
            let token = try SecretSource.token(tokenFile)
            return try await connected(to: try someServer()) { node in
                var node = node
                node.token = token
                do {
                    return try await body(SignedIn(context: self, node: node, account: nil))
                } catch let problem as Problem where problem.status == 401 {
                    throw CommandFailure(
                        .notSignedIn, "The token in \(tokenFile) is not valid on this node.",
                        hint: """
                            It was replaced, or its agent revoked, or it is another node's: ask the vault's owner for a \
                            token.
                            """)
                }
            }
        }
        return try await asOwner(body)
    }

    private func asOwner<Result>(_ body: (SignedIn) async throws -> Result) async throws -> Result {
        guard let account = try sessions.current(on: try namedServer()), let session = account.session,
            let server = ServerAddress(account.server)
        else {
            throw CommandFailure(
                .notSignedIn, "There is no session.", hint: "clavitor login, or clavitor register for a new account")
        }
        guard session.expiresAt > Timestamp.now else {
            throw CommandFailure(
                .notSignedIn, "The session of \(account.email) has expired.", hint: "Sign in again: clavitor login")
        }
        return try await connected(to: server) { node in
            try await body(SignedIn(context: self, node: node, account: account))
        }
    }
}
