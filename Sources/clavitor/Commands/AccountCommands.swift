import ArgumentParser
import Console
import Encoding
import VaultFormat
import Wire

struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Say who is signed in, where, and until when.")

    @OptionGroup(title: "Everywhere") var global: GlobalOptions

    func run() async throws {
        let workspace = try Workspace(global)
        try await workspace.signedIn { signedIn in
            let local = try signedIn.owner()
            let account = try await signedIn.send(NodeRequest(.get, "api/v1/account"), as: AccountBody.self)
            try local.pins.check(vault: account.vault)
            let output = StatusOutput(server: local.server, expiresAt: local.session?.expiresAt ?? 0, account: account)
            try workspace.show(output) {
                """
                \(account.email.printable) at \(local.server)
                  session        until \(Moment.text(output.expiresAt))
                  second factor  \(account.hasSecondFactor ? "on" : "off (clavitor second-factor enable)")
                  recovery kit   \(account.hasRecoveryKit ? "made" : "none (clavitor kit new)")
                  vault          \(account.vault), since \(Moment.text(account.createdAt))

                \(usage(account))
                """
            }
        }
    }
}

/// What the vault holds beside what it may hold, then the other quotas.
private func usage(_ account: AccountBody) -> String {
    var table = Table("of the vault", "now", "at most")
    for name in account.usage.keys.sorted() {
        table.add(name.printable, "\(account.usage[name] ?? 0)", account.quotas[name].map { "\($0)" } ?? "-")
    }
    for name in account.quotas.keys.sorted() where account.usage[name] == nil {
        table.add(name.printable, "", "\(account.quotas[name] ?? 0)")
    }
    return table.text
}

private struct StatusOutput: Encodable {
    let server: String
    let expiresAt: Int64
    let account: AccountBody
}

struct ChangePassword: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "password", abstract: "Change the account's password.",
        discussion:
            "Everything else that is signed in is signed out, and the old recovery kit ends: a new one is printed.")

    @Flag(help: "Pause every agent: somebody may have been in.")
    var pauseAgents = false

    @OptionGroup var code: CodeOptions
    @OptionGroup var newPassword: NewPasswordOptions
    @OptionGroup(title: "Everywhere") var global: GlobalOptions

    func run() async throws {
        let workspace = try Workspace(global)
        try await workspace.signedIn { signedIn in
            let l2Key = try await signedIn.l2Key()
            let account = try signedIn.owner()
            let password = try newPassword.ask(workspace, email: account.email)
            let keys = try SignIn.Terms(account.pins.prelogin).keys(of: password)
            let kit = RecoveryKit()
            let change = try await signedIn.proving(code) { proof in
                let body = PasswordBody(
                    proof: proof, authKey: Base64URL.encode(keys.authKey.bytes),
                    l2: L2Body(wrappedKey: l2Key.wrapped(by: keys.l2WrapKey)),
                    recovery: kit.body(for: l2Key, origin: account.pins.origin), keepAgents: pauseAgents ? [] : nil)
                return try await signedIn.send(
                    NodeRequest(.put, "api/v1/account/password", body: body), as: OwnerChangeBody.self)
            }
            try workspace.showChange(OwnerChangeOutput(change, kit)) { "The password is changed." }
            try signedIn.adopt(change.session, keys: keys)
        }
    }
}

struct Recover: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Set a new password with the recovery kit, and sign in.",
        discussion: """
            The kit is used up: a new one is printed. Every session ends and every agent is paused; `clavitor agent \
            resume` brings back those that you know.
            """)

    @Option(help: "Your e-mail address; the last one used when left out.")
    var email: String?

    @Option(
        name: .customLong("kit-file"), help: ArgumentHelp("Take the kit from a file.", valueName: "path"),
        completion: .file())
    var kitFile: String?

    @OptionGroup var code: CodeOptions
    @OptionGroup var newPassword: NewPasswordOptions
    @OptionGroup(title: "Everywhere") var global: GlobalOptions

    func run() async throws {
        let workspace = try Workspace(global)
        let server = try workspace.someServer()
        guard let email = try email ?? workspace.sessions.current(on: server)?.email else {
            throw CommandFailure(.usage, "Whose account is it?", hint: "Add --email ADDRESS.")
        }
        try await workspace.connected(to: server) { node in
            let signIn = try SignIn(workspace: workspace, node: node, email: email)
            let known = try signIn.known
            let terms = try await signIn.terms(pinned: known?.pins)
            let kitKeys = AccountKeys(kit: try kit(workspace), origin: terms.answer.origin)
            // Before the code is asked for, which is good for a minute.
            let keys = try terms.keys(of: try newPassword.ask(workspace, email: signIn.email))
            let kit = RecoveryKit()
            let change = try await workspace.withSecondFactor(code.totp) { code in
                try await recover(signIn, kitKeys, keys, kit, code: code)
            }
            try known?.pins.check(vault: change.session.vault)
            try workspace.showChange(OwnerChangeOutput(change, kit)) {
                "The new password is set, and you are signed in."
            }
            _ = try signIn.stored(change.session, terms: terms, l2WrapKey: keys.l2WrapKey, before: known)
        }
    }

    /// Fetches the l2Key that the kit opens, and sets the new password with it.
    private func recover(
        _ signIn: SignIn, _ kitKeys: AccountKeys, _ keys: AccountKeys, _ kit: RecoveryKit, code: String?
    ) async throws -> OwnerChangeBody {
        let known = try signIn.known
        let proof = ProofBody(kind: "recovery", secret: Base64URL.encode(kitKeys.authKey.bytes), code: code)
        do {
            let begun = try await signIn.node.send(
                NodeRequest(
                    .post, "api/v1/accounts/recover/begin",
                    body: RecoveryBeginBody(email: signIn.email, proof: proof, device: known?.device)),
                as: RecoveryBegunBody.self)
            try known?.pins.check(vault: begun.vault)
            let l2Key = try l2Key(begun, kitKeys)
            let body = RecoverBody(
                email: signIn.email, proof: proof, authKey: Base64URL.encode(keys.authKey.bytes),
                l2: L2Body(wrappedKey: l2Key.wrapped(by: keys.l2WrapKey)),
                recovery: kit.body(for: l2Key, origin: try await signIn.terms(pinned: known?.pins).answer.origin),
                keepAgents: [], device: known?.device)
            return try await signIn.node.send(
                NodeRequest(.post, "api/v1/accounts/recover", body: body), as: OwnerChangeBody.self)
        } catch let problem as Problem where problem.code == .badCredentials {
            throw CommandFailure(
                .refused, "The kit does not belong to this address, or a newer one took its place.",
                hint: "A kit ends with each change of password; look for the one printed last.")
        }
    }

    private func l2Key(_ begun: RecoveryBegunBody, _ kitKeys: AccountKeys) throws -> L2Key {
        guard let vault = VaultID(text: begun.vault) else {
            throw CommandFailure(.failed, "The node named no vault.")
        }
        do throws(L2Failure) {
            return try L2Key(wrapped: begun.l2.wrappedKey, by: kitKeys.l2WrapKey, vault: vault)
        } catch {
            throw CommandFailure(error)
        }
    }

    private func kit(_ workspace: Workspace) throws -> RecoveryKit {
        let text =
            try kitFile.map { try SecretSource.file($0) }
            ?? workspace.terminal.ask("Recovery kit (clv_kit_…)", otherwise: "Add --kit-file PATH.")
        guard let kit = RecoveryKit(text) else {
            throw CommandFailure(
                .usage, "That is no recovery kit: a character is missing or wrong.",
                hint: "It begins with clv_kit_ and has 57 characters; capital letters matter.")
        }
        return kit
    }
}

/// A new kit as it is printed, alone or after something else.
struct KitOutput: Encodable {
    let recoveryKit: String?

    init(_ kit: RecoveryKit?) {
        recoveryKit = kit?.text
    }

    static func paragraph(_ kit: RecoveryKit?) -> String {
        "\n\n" + (kit?.printed ?? "There is no recovery kit now. To make one: clavitor kit new")
    }
}
