import ArgumentParser
import Console
import Vault
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
                """
            }
        }
    }
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

    @Flag(name: .customLong("no-kit"), help: "Make no recovery kit.")
    var withoutKit = false

    @OptionGroup var newPassword: NewPasswordOptions
    @OptionGroup(title: "Everywhere") var global: GlobalOptions

    func run() async throws {
        let workspace = try Workspace(global)
        try await workspace.signedIn { signedIn in
            let l2Key = try await signedIn.l2Key()
            let kit = try await NewPassword(signedIn: signedIn, l2Key: l2Key).set(
                newPassword, kit: withoutKit ? nil : RecoveryKit())
            try workspace.show(KitOutput(kit)) {
                "The password is changed. Other machines have to sign in again." + KitOutput.paragraph(kit)
            }
        }
    }
}

struct Recover: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Sign in with the recovery kit and set a new password.",
        discussion: "The kit is used up: a new one is printed.")

    @Option(help: "Your e-mail address; the last one used when left out.")
    var email: String?

    @Option(
        name: .customLong("kit-file"), help: ArgumentHelp("Take the kit from a file.", valueName: "path"),
        completion: .file())
    var kitFile: String?

    @Option(help: "The second factor's code, or a recovery code.")
    var totp: String?

    @Flag(name: .customLong("no-kit"), help: "Make no new recovery kit.")
    var withoutKit = false

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
            let old = try kit(workspace)
            let keys = AccountKeys(kit: old, origin: terms.answer.origin)
            let session = try await open(with: keys, signIn, node)
            try known?.pins.check(vault: session.vault)
            let account = try signIn.stored(session, terms: terms, l2WrapKey: keys.l2WrapKey, before: known)
            let l2Key: L2Key
            do throws(L2Failure) {
                l2Key = try L2Key(wrapped: account.wrappedL2Key, by: keys.l2WrapKey, vault: try account.vault())
            } catch {
                throw CommandFailure(error)
            }
            let signedIn = SignedIn(workspace: workspace, node: node, account: account, keys: keys)
            let kit = try await NewPassword(signedIn: signedIn, l2Key: l2Key).set(
                newPassword, kit: withoutKit ? nil : RecoveryKit())
            try workspace.show(KitOutput(kit)) {
                "The new password is set. Everything else that was signed in is signed out." + KitOutput.paragraph(kit)
            }
        }
    }

    private func open(with keys: AccountKeys, _ signIn: SignIn, _ node: NodeClient) async throws -> SessionBody {
        do {
            return try await signIn.withSecondFactor(totp) { code in
                let body = RecoverBody(
                    email: signIn.email, key: Base64URL.encode(keys.authKey.bytes), totp: code,
                    device: try signIn.known?.device)
                return try await node.send(
                    NodeRequest(.post, "api/v1/accounts/recover", body: body), as: SessionBody.self)
            }
        } catch let problem as Problem where problem.code == "bad-credentials" {
            throw CommandFailure(
                .refused, "The kit does not belong to this address, or a newer one took its place.",
                hint: "A kit ends with each change of password; look for the one printed last.")
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

/// Sets a new password for an account whose l2Key is open.
struct NewPassword {
    let signedIn: SignedIn
    let l2Key: L2Key

    /// - Returns: The new kit.
    func set(_ options: NewPasswordOptions, kit: RecoveryKit?) async throws -> RecoveryKit? {
        let account = try signedIn.owner()
        let password = try options.ask(signedIn.workspace, email: account.email)
        let keys = try SignIn.Terms(account.pins.prelogin).keys(of: password)
        let body = PasswordBody(
            authKey: Base64URL.encode(keys.authKey.bytes), l2: L2Body(wrappedKey: l2Key.wrapped(by: keys.l2WrapKey)),
            recovery: kit?.body(for: l2Key, origin: account.pins.origin))
        let session = try await signedIn.send(
            NodeRequest(.put, "api/v1/account/password", body: body), as: SessionBody.self)
        try signedIn.adopt(session, keys: keys)
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
