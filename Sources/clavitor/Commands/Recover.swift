import ArgumentParser
import VaultFormat
import Wire

struct Recover: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Set a new password with the recovery kit, and sign in.",
        discussion: """
            Replaces the kit: the new one is printed. Ends all sessions and passkeys, and pauses all agents; `clavitor \
            agent resume` resumes those that you recognize.
            """)

    @Option(help: "E-mail address. Default: the last one used.")
    var email: String?

    @Option(
        name: .customLong("kit-file"), help: ArgumentHelp("Read the kit from a file.", valueName: "path"),
        completion: .file())
    var kitFile: String?

    @OptionGroup var code: CodeOptions
    @OptionGroup var newPassword: NewPasswordOptions
    @OptionGroup(title: "Global options") var global: GlobalOptions

    func run() async throws {
        let context = try CommandContext(global)
        let server = try context.someServer()
        guard let email = try email ?? context.sessions.current(on: server)?.email else {
            throw CommandFailure(.usage, "No account was given.", hint: "Add --email ADDRESS.")
        }
        try await context.connected(to: server) { node in
            let signIn = try SignIn(context: context, node: node, email: email)
            let known = try signIn.known
            let terms = try await signIn.terms(pinned: known?.pins)
            let kitKeys = AccountKeys(kit: try kit(context), origin: terms.answer.origin)
            // Before the prompt for the code, which is valid for a minute.
            let keys = try terms.keys(of: try newPassword.ask(context, email: signIn.email))
            let kit = NewKit()
            let change = try await context.withSecondFactor(code.totp) { code in
                try await recover(signIn, kitKeys, keys, kit, code: code)
            }
            try known?.pins.check(vault: change.session.vault)
            try context.showChange(OwnerChangeOutput(change, KeepDecision(kept: [], ended: [], newKit: kit))) {
                "Password set. Signed in."
            }
            _ = try signIn.stored(change.session, terms: terms, l2WrapKey: keys.l2WrapKey, before: known)
        }
    }

    /// Gets the l2Key wrapped for the kit, and sets the new password.
    private func recover(
        _ signIn: SignIn, _ kitKeys: AccountKeys, _ keys: AccountKeys, _ kit: NewKit, code: String?
    ) async throws -> OwnerChangeBody {
        let known = try signIn.known
        let proof = ProofBody(kind: "recovery", secret: kitKeys.authKey.base64URL, code: code)
        do {
            let begun = try await signIn.node.send(
                NodeRequest(
                    .post, "api/v1/accounts/recover/begin",
                    body: RecoveryBeginBody(email: signIn.email, proof: proof, device: known?.device)),
                as: RecoveryBegunBody.self)
            try known?.pins.check(vault: begun.vault)
            try known?.l2.check(begun.l2.generation)
            let l2Key = try l2Key(begun, kitKeys)
            let body = RecoverBody(
                email: signIn.email, proof: proof, authKey: keys.authKey.base64URL,
                l2: l2Key.body(for: keys.l2WrapKey),
                recovery: kit.body(for: l2Key, origin: try await signIn.terms(pinned: known?.pins).answer.origin),
                keepAgents: [], device: known?.device)
            return try await signIn.node.send(
                NodeRequest(.post, "api/v1/accounts/recover", body: body), as: OwnerChangeBody.self)
        } catch let problem as Problem where problem.code == .badCredentials {
            throw CommandFailure(
                .refused, "The kit does not belong to this address, or it was replaced by a newer one.",
                hint: "A kit ends when it is replaced, or not kept at a change of password; use the one printed last.")
        }
    }

    private func l2Key(_ begun: RecoveryBegunBody, _ kitKeys: AccountKeys) throws -> L2Key {
        guard let vault = VaultID(text: begun.vault) else {
            throw CommandFailure(.failed, "The node sent an invalid vault id.")
        }
        do throws(L2Failure) {
            return try L2Key(begun.l2, by: kitKeys.l2WrapKey, vault: vault)
        } catch {
            throw CommandFailure(error)
        }
    }

    private func kit(_ context: CommandContext) throws -> RecoveryKit {
        let text =
            try kitFile.map { try SecretSource.file($0) }
            ?? context.terminal.ask("Recovery kit (clv_kit_…)", otherwise: "Add --kit-file PATH.")
        guard let kit = RecoveryKit(text) else {
            throw CommandFailure(
                .usage, "This is not a recovery kit: a character is missing or wrong.",
                hint: "A kit begins with clv_kit_ and has 57 characters; it is case-sensitive.")
        }
        return kit
    }
}
