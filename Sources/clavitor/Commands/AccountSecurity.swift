import ArgumentParser
import Wire

struct SecondFactor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "second-factor", abstract: "Enable or disable a one-time code at sign-in.",
        subcommands: [Enable.self, Disable.self])

    struct Enable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Enable the second factor.")

        @OptionGroup var code: CodeOptions
        @OptionGroup(title: "Global options") var global: GlobalOptions

        func run() async throws {
            let context = try CommandContext(global)
            try await context.signedIn { signedIn in
                let begun = try await signedIn.send(
                    NodeRequest(.post, "api/v1/account/totp", body: SecondFactorRequestBody()),
                    as: SecondFactorBody.self)
                context.terminal.note(
                    "Enter this in an authenticator app:\n\n    \(begun.secret ?? "")\n    \(begun.uri ?? "")\n")
                let shown = try context.terminal.ask("Current code", otherwise: "This command requires a terminal.")
                let done = try await signedIn.proving(code) { proof in
                    try await signedIn.send(
                        NodeRequest(
                            .post, "api/v1/account/totp",
                            body: SecondFactorRequestBody(proof: proof, code: shown.filter { !$0.isWhitespace })),
                        as: SecondFactorBody.self)
                }
                try context.show(
                    done,
                    otherwise:
                        "The second factor is enabled. For new recovery codes: clavitor second-factor disable, then enable"
                ) {
                    """
                    The second factor is on. These codes stand in for it, each of them once; keep them like the kit:

                    \((done.recoveryCodes ?? []).map { "    \($0)" }.joined(separator: "\n"))
                    """
                }
            }
        }
    }

    struct Disable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Disable the second factor.")

        @OptionGroup var code: CodeOptions
        @OptionGroup(title: "Global options") var global: GlobalOptions

        func run() async throws {
            let context = try CommandContext(global)
            try await context.signedIn { signedIn in
                try await signedIn.proving(code) { proof in
                    try await signedIn.send(
                        NodeRequest(.delete, "api/v1/account/totp", body: ProvenBody(proof: proof)))
                }
                context.terminal.note("Second factor disabled.")
            }
        }
    }
}

struct DeleteAccount: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete-account", abstract: "Delete the account and its vault permanently.")

    @Flag(help: "Skip the confirmation.")
    var yes = false

    @OptionGroup(title: "Global options") var global: GlobalOptions

    func run() async throws {
        let context = try CommandContext(global)
        try await context.signedIn { signedIn in
            let account = try signedIn.owner()
            if !yes {
                let typed = try context.terminal.ask(
                    "The vault will be deleted permanently. Type \(account.email) to confirm", otherwise: "Add --yes.")
                guard typed == account.email else {
                    throw CommandFailure(.usage, "The address does not match; nothing was deleted.")
                }
            }
            try await signedIn.send(NodeRequest(.delete, "api/v1/account"))
            try context.sessions.forget(account)
            context.terminal.note("Deleted \(account.email).")
        }
    }
}
