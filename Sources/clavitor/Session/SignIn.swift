import ArgumentParser
import Console
import Crypto
import Encoding
import VaultFormat
import Wire

/// Signing in to a node with a password or a kit, and holding it to what it said the first time.
struct SignIn {
    let workspace: Workspace
    let node: NodeClient
    let email: String

    /// What the account's keys are derived with: asked of the node, compared with what is known.
    struct Terms {
        let answer: PreloginBody
        let salt: [UInt8]
        let parameters: KDFParameters

        func keys(of password: borrowing Password) throws -> AccountKeys {
            do throws(KDFRefusal) {
                return AccountKeys(masterKey: try parameters.masterKey(of: password, salt: salt), origin: answer.origin)
            } catch {
                throw CommandFailure(error)
            }
        }

        init(_ answer: PreloginBody) throws {
            do throws(KDFRefusal) {
                parameters = try KDFParameters(answer.kdf)
                guard let salt = Base64URL.decode(answer.salt), salt.count == 16 else { throw .salt(bytes: 0) }
                self.salt = salt
            } catch {
                throw CommandFailure(error)
            }
            self.answer = answer
        }
    }

    init(workspace: Workspace, node: NodeClient, email: String) throws {
        guard let address = EmailAddress(email) else {
            throw CommandFailure(.usage, "\(email.printable) is no e-mail address.")
        }
        self.workspace = workspace
        self.node = node
        self.email = address.normalized
    }

    var known: Account? { get throws { try workspace.sessions.account(email, on: node.server) } }

    /// Asks the node; `pins` is what an earlier use saw, nil at the first one.
    func terms(pinned pins: Account.Pins?) async throws -> Terms {
        let request = NodeRequest(.post, "api/v1/accounts/prelogin", body: PreloginRequestBody(email: email))
        let answer = try await node.send(request, as: PreloginBody.self)
        try pins?.check(answer)
        guard node.server.mayClaim(origin: answer.origin) else {
            throw CommandFailure(
                .refused,
                "\(node.server.text) says that it is \(answer.origin.printable); keys are bound to a node's name.",
                hint: "Use the name that the node goes by: --server https://\(answer.origin.printable)")
        }
        return try Terms(answer)
    }

    /// Opens a session and stores it. The second factor's code is asked for when the node wants one and it is nil.
    func login(keys: AccountKeys, terms: Terms, code: String?) async throws -> Account {
        let known = try known
        let session = try await workspace.withSecondFactor(code) { code in
            let body = LoginBody(
                email: email, authKey: Base64URL.encode(keys.authKey.bytes), totp: code, device: known?.device)
            return try await node.send(NodeRequest(.post, "api/v1/sessions", body: body), as: SessionBody.self)
        }
        try known?.pins.check(vault: session.vault)
        let (account, replaced) = try stored(session, terms: terms, l2WrapKey: keys.l2WrapKey, before: known)
        if let old = replaced?.session {
            // This machine has a newer one, which other commands on it find. If this fails, the old one expires by itself.
            var node = node
            node.token = session.token
            try? await node.send(NodeRequest(.delete, "api/v1/sessions", old.id))
        }
        return account
    }

    /// Checks that the l2Key opens, and keeps the account.
    ///
    /// This machine's own copy takes over when the node's does not open and the own one does.
    ///
    /// - Returns: The account, and as it was kept until now.
    @discardableResult
    func stored(
        _ session: SessionBody, terms: Terms, l2WrapKey: SymmetricKey, before: Account?
    ) throws -> (account: Account, replaced: Account?) {
        guard let vault = VaultID(text: session.vault) else {
            throw CommandFailure(.failed, "The node named no vault.")
        }
        var account = Account(
            server: node.server.text, email: email,
            pins: .init(
                origin: terms.answer.origin, salt: terms.answer.salt, kdf: terms.answer.kdf, vault: session.vault),
            wrappedL2Key: session.l2.wrappedKey, device: session.device, caFile: try workspace.caFile(for: node.server),
            session: .init(id: session.id, token: session.token, expiresAt: session.expiresAt))
        do throws(L2Failure) {
            _ = try L2Key(wrapped: session.l2.wrappedKey, by: l2WrapKey, vault: vault)
        } catch {
            if let own = before?.wrappedL2Key, (try? L2Key(wrapped: own, by: l2WrapKey, vault: vault)) != nil {
                account.wrappedL2Key = own
                workspace.terminal.note(
                    "The node's copy of the L2 key does not open; using this machine's. Tell the node's operator.")
            } else {
                workspace.terminal.note(
                    "The L2 key does not open; L2 values cannot be read. Another machine may still have a copy.")
            }
        }
        return (account, try workspace.sessions.keep(account))
    }
}

/// The second factor's code, for commands whose request carries a proof.
struct CodeOptions: ParsableArguments {
    @Option(help: "The second factor's code, or a recovery code.")
    var totp: String?
}

extension Workspace {
    /// Sends something, and once more with a code when the node asks for one.
    func withSecondFactor<Result>(_ code: String?, _ send: (String?) async throws -> Result) async throws -> Result {
        do {
            return try await send(code)
        } catch let problem as Problem where problem.code == .secondFactorNeeded {
            let code = try terminal.ask("Code of the second factor", otherwise: "Add --totp CODE.")
            return try await send(code.filter { !$0.isWhitespace })
        }
    }
}
