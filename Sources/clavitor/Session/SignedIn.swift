import Crypto
import Encoding
import FoundationEssentials
import VaultFormat
import Wire

/// A node on which somebody is signed in: the owner by the stored session, or an agent by its token.
final class SignedIn {
    let workspace: Workspace
    private(set) var node: NodeClient
    /// The owner's; nil for an agent.
    private(set) var account: Account?
    /// Of a password that was given during this command.
    private var keys: AccountKeys?

    init(workspace: Workspace, node: NodeClient, account: Account?, keys: AccountKeys? = nil) {
        self.workspace = workspace
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

    /// The account, for commands that an agent cannot give.
    func owner() throws -> Account {
        guard let account else {
            throw CommandFailure(.refused, "An agent cannot do this.", hint: "Leave --token-file out and sign in.")
        }
        return account
    }

    /// The keys of the account's password, asked for at most once in a command.
    func passwordKeys() async throws -> AccountKeys {
        if let keys { return keys }
        let account = try owner()
        let password = Password(try workspace.secrets.password(for: account.email))
        // From the pins, not from the node: what is derived here is bound to what was seen at first use.
        let derived = try SignIn.Terms(account.pins.prelogin).keys(of: password)
        keys = derived
        return derived
    }

    /// The account's key for L2 values, with the password.
    func l2Key() async throws -> L2Key {
        let account = try owner()
        let keys = try await passwordKeys()
        do throws(L2Failure) {
            return try L2Key(wrapped: account.wrappedL2Key, by: keys.l2WrapKey, vault: try account.vault())
        } catch {
            self.keys = nil
            throw CommandFailure(
                .refused, "The password is wrong, or it was changed on another machine.",
                hint: "After a change: clavitor login")
        }
    }

    /// Sends what changes a lasting credential, with the password's key in the request itself; and once more with a code
    /// when the node asks for one.
    func proving<Result>(_ options: CodeOptions, _ send: (ProofBody) async throws -> Result) async throws -> Result {
        let secret = Base64URL.encode(try await passwordKeys().authKey.bytes)
        do {
            return try await workspace.withSecondFactor(options.totp) { code in
                try await send(ProofBody(kind: "password", secret: secret, code: code))
            }
        } catch let problem as Problem where problem.code == .wrongProof {
            keys = nil
            throw CommandFailure(
                .refused, "The password is wrong, or it was changed on another machine.",
                hint: "After a change: clavitor login")
        }
    }

    // MARK: Sessions

    /// Uses the session that the node answered a change of password or the like with.
    func adopt(_ session: SessionBody, keys: AccountKeys) throws {
        try owner().pins.check(vault: session.vault)
        try keep { account in
            account.session = .init(id: session.id, token: session.token, expiresAt: session.expiresAt)
            account.wrappedL2Key = session.l2.wrappedKey
            account.device = session.device
        }
        self.keys = keys
    }

    /// Keeps a new wrapped l2Key.
    func adopt(wrappedL2Key: String) throws {
        try keep { $0.wrappedL2Key = wrappedL2Key }
    }

    private func keep(_ change: (inout Account) -> Void) throws {
        var account = try owner()
        change(&account)
        try workspace.sessions.update(account, change)
        use(account)
    }

    private func use(_ account: Account) {
        self.account = account
        node.token = account.session?.token
    }

    /// Does `body`; when the node wants the password for it, signs in once more and repeats it once. The same with the
    /// newer session of a command that ran beside this one, and ended this one's.
    private func reauthenticating<Result>(_ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch let problem as Problem where problem.code == .reauthenticate && account != nil {
            try await renew()
            return try await body()
        } catch let problem as Problem where problem.status == 401 {
            guard let account, let server = ServerAddress(account.server),
                let known = try workspace.sessions.account(account.email, on: server), let session = known.session,
                session != account.session, known.pins == account.pins
            else { throw problem }
            use(known)
            return try await body()
        }
    }

    private func renew() async throws {
        let account = try owner()
        let keys = try await passwordKeys()
        var anonymous = node
        anonymous.token = nil
        let signIn = try SignIn(workspace: workspace, node: anonymous, email: account.email)
        // The answer may only confirm what the keys were derived with.
        let terms = try await signIn.terms(pinned: account.pins)
        use(try await signIn.login(keys: keys, terms: terms, code: nil))
    }
}

extension Workspace {
    /// Runs `body` signed in: as the agent whose token was given, else as the owner.
    func signedIn<Result>(_ body: (SignedIn) async throws -> Result) async throws -> Result {
        if let tokenFile {
            let token = try SecretSource.token(tokenFile)
            return try await connected(to: try someServer()) { node in
                var node = node
                node.token = token
                do {
                    return try await body(SignedIn(workspace: self, node: node, account: nil))
                } catch let problem as Problem where problem.status == 401 {
                    throw CommandFailure(
                        .notSignedIn, "The node does not know the token in \(tokenFile).",
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
                .notSignedIn, "Nobody is signed in.", hint: "clavitor login, or clavitor register for a new account")
        }
        guard session.expiresAt > Moment.now else {
            throw CommandFailure(
                .notSignedIn, "The session of \(account.email) has expired.", hint: "Sign in again: clavitor login")
        }
        return try await connected(to: server) { node in
            try await body(SignedIn(workspace: self, node: node, account: account))
        }
    }
}
