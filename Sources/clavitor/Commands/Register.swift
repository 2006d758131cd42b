import ArgumentParser
import Encoding
import VaultFormat
import Wire

struct Register: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Register an account on a node.",
        discussion: """
            The password never leaves this machine. The recovery kit is printed once: it is the only way to recover when \
            the password is lost. `clavitor generate --words 6` generates a passphrase that is easy to remember.
            """)

    @Option(help: "E-mail address.")
    var email: String

    @Option(help: "Invitation code, if the node requires one.")
    var invite: String?

    @Flag(
        name: .customLong("no-kit"), help: "Do not create a recovery kit. If the password is lost, the vault is lost.")
    var withoutKit = false

    @OptionGroup var newPassword: NewPasswordOptions
    @OptionGroup(title: "Global options") var global: GlobalOptions

    func run() async throws {
        let context = try CommandContext(global)
        try await context.connected(to: try context.someServer()) { node in
            let signIn = try SignIn(context: context, node: node, email: email)
            // A new account is a first use: pins of an earlier account do not apply.
            let terms = try await signIn.terms(pinned: nil)
            let password = try newPassword.ask(context, email: signIn.email, file: context.secrets.passwordFile)
            let keys = try terms.keys(of: password)
            let vault = VaultID.random()
            let l2Key = L2Key.generate(for: vault, generation: 1)
            let kit = withoutKit ? nil : NewKit()
            let body = RegistrationBody(
                email: signIn.email, vault: vault.text, kdf: terms.answer.kdf, salt: terms.answer.salt,
                authKey: keys.authKey.base64URL,
                l2: l2Key.body(for: keys.l2WrapKey),
                recovery: kit?.body(for: l2Key, origin: terms.answer.origin), invite: invite)
            try await node.send(NodeRequest(.post, "api/v1/accounts", body: body))
            // The kit is valid from here on, so print it before the login can fail.
            let output = RegisteredOutput(
                email: signIn.email, server: node.server.text, vault: vault.text, recoveryKit: kit?.text,
                kitNumber: kit?.number)
            try context.show(
                output,
                otherwise: kit.map { _ in
                    "The account exists. Create another kit: clavitor login, then clavitor kit new"
                }
            ) {
                "Registered \(output.email) at \(output.server)." + (kit.map { "\n\n" + $0.printed } ?? "")
            }
            if let known = try signIn.known { try context.sessions.forget(known) }
            let account = try await signIn.login(keys: keys, terms: terms, code: nil)
            guard account.pins.vault == vault.text else {
                try context.sessions.forget(account)
                throw CommandFailure(.refused, "The node used another vault id than requested.")
            }
            context.terminal.note("Signed in.")
        }
    }
}

private struct RegisteredOutput: Encodable {
    let email: String
    let server: String
    let vault: String
    let recoveryKit: String?
    let kitNumber: String?
}

/// The options of commands that set a password.
struct NewPasswordOptions: ParsableArguments {
    @Option(
        name: .customLong("new-password-file"),
        help: ArgumentHelp("Read the new password from a file.", valueName: "path"), completion: .file())
    var file: String?

    /// Reads a password of sufficient strength. `file`: The file if the options name none.
    func ask(_ context: CommandContext, email: String, file: String? = nil) throws -> Password {
        let text = try context.secrets.newPassword(file: self.file ?? file) { text in
            PasswordWeakness.of(text, email: email).map { weakness in
                CommandFailure(
                    .usage, "The password is too weak: \(weakness.explanation).",
                    hint: "Generate a strong passphrase: clavitor generate --words 6")
            }
        }
        return Password(text)
    }
}
