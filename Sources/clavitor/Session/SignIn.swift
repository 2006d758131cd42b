import ArgumentParser
import Console
import Crypto
import Encoding
import VaultFormat
import Wire

/// Signs in to a node with a password or kit, and verifies the values pinned at first use.
struct SignIn {
    let context: CommandContext
    let node: NodeClient
    let email: String

    /// The key derivation parameters of the account: from the node, verified against the pins.
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

    init(context: CommandContext, node: NodeClient, email: String) throws {
        guard let address = EmailAddress(email) else {
            throw CommandFailure(.usage, "\(email.printable) is not an e-mail address.")
        }
        self.context = context
        self.node = node
        self.email = address.normalized
    }

    var known: Account? { get throws { try context.sessions.account(email, on: node.server) } }

    /// Gets the parameters from the node. `pins`: The values of first use; nil at first use.
    func terms(pinned pins: Account.Pins?) async throws -> Terms {
        let request = NodeRequest(.post, "api/v1/accounts/prelogin", body: PreloginRequestBody(email: email))
        let answer = try await node.send(request, as: PreloginBody.self)
        try pins?.check(answer)
        guard node.server.mayClaim(origin: answer.origin) else {
            throw CommandFailure(
                .refused,
                "\(node.server.text) has the name \(answer.origin.printable); keys are bound to a node's name.",
                hint: "Use the node's own name: --server https://\(answer.origin.printable)")
        }
        return try Terms(answer)
    }

    /// Signs in and stores the session. Prompts for a second factor code if the node requires one and `code` is nil.
    func login(keys: AccountKeys, terms: Terms, code: String?) async throws -> Account {
        let known = try known
        let session = try await context.withSecondFactor(code) { code in
            let body = LoginBody(
                email: email, authKey: keys.authKey.base64URL, totp: code, device: known?.device)
            return try await node.send(NodeRequest(.post, "api/v1/sessions", body: body), as: SessionBody.self)
        }
        try known?.pins.check(vault: session.vault)
        let (account, replaced) = try stored(session, terms: terms, l2WrapKey: keys.l2WrapKey, before: known)
        if let old = replaced?.session {
            // Other commands use the newer session. If this fails, the old one expires by itself.
            var node = node
            node.token = session.token
            try? await node.send(NodeRequest(.delete, "api/v1/sessions", old.id))
        }
        return account
    }

    /// Verifies that the wrapped l2Key opens, and stores the account.
    ///
    /// Uses this machine's copy if the node's does not open and the copy does.
    ///
    /// - Returns: The account and its earlier record.
    @discardableResult
    func stored(
        _ session: SessionBody, terms: Terms, l2WrapKey: SymmetricKey, before: Account?
    ) throws -> (account: Account, replaced: Account?) {
        guard let vault = VaultID(text: session.vault), let l2 = session.l2 else {
            throw CommandFailure(.failed, "The node sent an invalid vault id or no wrapped L2 key.")
        }
        // The pin is of this vault: another one is another account, which the caller has refused or forgotten.
        if let before, before.pins.vault == session.vault { try before.l2.check(l2.generation) }
        var account = Account(
            server: node.server.text, email: email,
            pins: .init(
                origin: terms.answer.origin, salt: terms.answer.salt, kdf: terms.answer.kdf, vault: session.vault),
            l2: .init(l2, after: before?.l2), device: session.device,
            caFile: try context.caFile(for: node.server),
            session: .init(id: session.id, token: session.token, expiresAt: session.expiresAt))
        do throws(L2Failure) {
            _ = try L2Key(l2, by: l2WrapKey, vault: vault)
        } catch {
            if let own = before?.l2, (try? L2Key(own.body, by: l2WrapKey, vault: vault)) != nil {
                account.l2 = own
                context.terminal.note(
                    "The node's copy of the L2 key cannot be decrypted; using this machine's copy. Inform the node's operator."
                )
            } else {
                context.terminal.note(
                    "The L2 key cannot be decrypted, so L2 values cannot be read. Another machine may have a copy.")
            }
        }
        return (account, try context.sessions.keep(account))
    }
}

/// The second factor code of commands whose request carries a proof.
struct CodeOptions: ParsableArguments {
    @Option(help: "One-time code of the second factor, or a recovery code.")
    var totp: String?
}

extension CommandContext {
    /// Sends a request, and repeats it with a prompted code if the node requires one.
    func withSecondFactor<Result>(_ code: String?, _ send: (String?) async throws -> Result) async throws -> Result {
        do {
            return try await send(code)
        } catch let problem as Problem where problem.code == .secondFactorNeeded {
            let code = try terminal.ask("Code of the second factor", otherwise: "Add --totp CODE.")
            return try await send(code.filter { !$0.isWhitespace })
        }
    }
}
