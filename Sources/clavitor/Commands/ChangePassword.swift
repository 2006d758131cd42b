import ArgumentParser
import VaultFormat
import Wire

struct ChangePassword: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "password", abstract: "Change the account's password.",
        discussion: """
            Ends all other sessions. A routine change keeps the recovery kit and the passkeys that --keep names; without \
            --keep and --new-kit it asks for each. After a possible compromise nothing is kept: it ends the kit and all \
            passkeys, prints a new kit and pauses every agent; then run `clavitor l2 rekey`.
            """)

    /// Why the password is changed, which decides what lives on.
    enum Reason: String, ExpressibleByArgument, CaseIterable {
        case routine, compromise
    }

    @Option(help: "Why the password is changed: routine, or compromise if somebody may have been in.")
    var reason: Reason?

    @OptionGroup var keeping: KeepOptions
    @OptionGroup var code: CodeOptions
    @OptionGroup var newPassword: NewPasswordOptions
    @OptionGroup(title: "Global options") var global: GlobalOptions

    func validate() throws {
        guard reason != .compromise || keeping.kept.allSatisfy({ $0 == KeepOptions.none }) else {
            throw ValidationError("--reason compromise keeps nothing; leave out --keep.")
        }
    }

    func run() async throws {
        let context = try CommandContext(global)
        try await context.signedIn { signedIn in
            let l2Key = try await signedIn.l2Key()
            let account = try signedIn.owner()
            let reason = try self.reason ?? ask(context.terminal)
            let present = try await signedIn.lastingCredentials()
            let decision =
                switch reason {
                case .routine: try keeping.decide(on: present, context.terminal)
                case .compromise: KeepDecision(kept: [], ended: present, newKit: NewKit())
                }
            let password = try newPassword.ask(context, email: account.email)
            let keys = try SignIn.Terms(account.pins.prelogin).keys(of: password)
            let change = try await signedIn.proving(code) { proof in
                let body = PasswordBody(
                    proof: proof, authKey: keys.authKey.base64URL,
                    l2: l2Key.body(for: keys.l2WrapKey),
                    recovery: decision.newKit?.body(for: l2Key, origin: account.pins.origin),
                    keep: decision.kept.map(\.id), keepAgents: reason == .compromise ? [] : nil)
                return try await signedIn.send(
                    NodeRequest(.put, "api/v1/account/password", body: body), as: OwnerChangeBody.self)
            }
            try context.showChange(OwnerChangeOutput(change, decision)) {
                reason == .routine
                    ? "Password changed."
                    : "Password changed. Now renew the L2 key, which the former password opens: clavitor l2 rekey"
            }
            try signedIn.adopt(change.session, keys: keys)
        }
    }

    private func ask(_ terminal: Terminal) throws -> Reason {
        let hint = "Add --reason routine, or --reason compromise if somebody may have been in."
        let answer = try terminal.ask(
            """
            Why do you change the password?
              1  A new password
              2  Somebody may have been in
            1 or 2
            """, otherwise: hint)
        switch answer.filter({ !$0.isWhitespace }) {
        case "1": return .routine
        case "2": return .compromise
        default: throw CommandFailure(.usage, "The answer must be 1 or 2; nothing was changed.", hint: hint)
        }
    }
}
