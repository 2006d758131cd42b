import ArgumentParser
import Encoding
import VaultFormat
import Wire

struct Register: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make an account on a node.",
        discussion: """
            The password never leaves this machine. The recovery kit is printed once: it is the only way back in when \
            the password is lost. `clavitor generate --words 6` makes a password that can be remembered.
            """)

    @Option(help: "Your e-mail address.")
    var email: String

    @Option(help: "An invitation, where the node wants one.")
    var invite: String?

    @Flag(name: .customLong("no-kit"), help: "Make no recovery kit: without the password the vault is lost.")
    var withoutKit = false

    @OptionGroup var newPassword: NewPasswordOptions
    @OptionGroup(title: "Everywhere") var global: GlobalOptions

    func run() async throws {
        let workspace = try Workspace(global)
        try await workspace.connected(to: try workspace.someServer()) { node in
            let signIn = try SignIn(workspace: workspace, node: node, email: email)
            // A new account is a new first use: what an earlier one on this node pinned does not bind it.
            let terms = try await signIn.terms(pinned: nil)
            let password = try newPassword.ask(workspace, email: signIn.email, file: workspace.secrets.passwordFile)
            let keys = try terms.keys(of: password)
            let vault = VaultID.random()
            let l2Key = L2Key.generate(for: vault)
            let kit = withoutKit ? nil : RecoveryKit()
            let body = RegistrationBody(
                email: signIn.email, vault: vault.text, kdf: terms.answer.kdf, salt: terms.answer.salt,
                authKey: Base64URL.encode(keys.authKey.bytes),
                l2: L2Body(wrappedKey: l2Key.wrapped(by: keys.l2WrapKey)),
                recovery: kit?.body(for: l2Key, origin: terms.answer.origin), invite: invite)
            try await node.send(NodeRequest(.post, "api/v1/accounts", body: body))
            // The kit exists from here on, whatever happens to the login: show it first.
            let output = RegisteredOutput(
                email: signIn.email, server: node.server.text, vault: vault.text, recoveryKit: kit?.text)
            try workspace.show(
                output,
                otherwise: kit.map { _ in "The account exists. Make another kit: clavitor login, then clavitor kit new"
                }
            ) {
                "\(output.email) is registered at \(output.server)." + (kit.map { "\n\n" + $0.printed } ?? "")
            }
            if let known = try signIn.known { try workspace.sessions.forget(known) }
            let account = try await signIn.login(keys: keys, terms: terms, code: nil)
            guard account.pins.vault == vault.text else {
                try workspace.sessions.forget(account)
                throw CommandFailure(.refused, "The node put the account into another vault than was asked for.")
            }
            workspace.terminal.note("You are signed in.")
        }
    }
}

private struct RegisteredOutput: Encodable {
    let email: String
    let server: String
    let vault: String
    let recoveryKit: String?
}

/// How commands that set a password come by it.
struct NewPasswordOptions: ParsableArguments {
    @Option(
        name: .customLong("new-password-file"),
        help: ArgumentHelp("Take the new password from a file.", valueName: "path"), completion: .file())
    var file: String?

    /// Asks for one that may be used; `file` is where it is when the options do not say.
    func ask(_ workspace: Workspace, email: String, file: String? = nil) throws -> Password {
        let text = try workspace.secrets.newPassword(file: self.file ?? file) { text in
            PasswordWeakness.of(text, email: email).map { weakness in
                CommandFailure(
                    .usage, "That password is too weak: \(weakness.explanation).",
                    hint: "clavitor generate --words 6 makes a strong one that can be remembered.")
            }
        }
        return Password(text)
    }
}

extension RecoveryKit {
    /// What the node keeps of the kit.
    func body(for l2Key: L2Key, origin: String) -> RecoveryBody {
        let keys = AccountKeys(kit: self, origin: origin)
        return RecoveryBody(
            key: Base64URL.encode(keys.authKey.bytes), l2: L2Body(wrappedKey: l2Key.wrapped(by: keys.l2WrapKey)))
    }

    var printed: String {
        """
        RECOVERY KIT, shown this once. Print it and keep it away from this machine:

            \(text)

        Whoever has it and your e-mail address has your vault. If the password is lost: clavitor recover
        """
    }
}
