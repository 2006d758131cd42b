import ArgumentParser
import Wire

struct SignOutEverywhere: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign-out-everywhere", abstract: "End all sessions on all machines; the password stays.",
        discussion: """
            For use after a possible compromise. Replaces the recovery kit: the new one is printed. Pauses agents, except \
            those named by --keep-agent; `clavitor agent resume` resumes them.
            """)

    @Option(name: .customLong("keep-agent"), help: "Agent to keep active, by name or id (repeatable).")
    var keptAgents: [String] = []

    @OptionGroup var code: CodeOptions
    @OptionGroup(title: "Global options") var global: GlobalOptions

    func run() async throws {
        let context = try CommandContext(global)
        try await context.signedIn { signedIn in
            let account = try signedIn.owner()
            let l2Key = try await signedIn.l2Key()
            let keys = try await signedIn.passwordKeys()
            var kept: [String] = []
            for name in keptAgents { kept.append(try await AgentFinder(signedIn: signedIn).agent(name).id) }
            let kit = RecoveryKit()
            let change = try await signedIn.proving(code) { proof in
                let body = SignOutBody(
                    proof: proof, recovery: kit.body(for: l2Key, origin: account.pins.origin), keepAgents: kept)
                return try await signedIn.send(
                    NodeRequest(.post, "api/v1/account/sign-out-everywhere", body: body), as: OwnerChangeBody.self)
            }
            try context.showChange(OwnerChangeOutput(change, kit)) { "All other sessions are ended." }
            try signedIn.adopt(change.session, keys: keys)
        }
    }
}

/// The result of a credential change with the new kit. Printed before anything else can fail, because the kit is valid from the
/// node's response on.
struct OwnerChangeOutput: Encodable {
    let recoveryKit: String
    let endedSessions: Int
    let activeAgents: [String]
    let pausedAgents: [String]

    init(_ change: OwnerChangeBody, _ kit: RecoveryKit) {
        recoveryKit = kit.text
        endedSessions = change.endedSessions
        activeAgents = change.activeAgents
        pausedAgents = change.pausedAgents
    }
}

extension CommandContext {
    func showChange(_ output: OwnerChangeOutput, _ first: () -> String) throws {
        try show(output, otherwise: "The change was made. Create another kit: clavitor login, then clavitor kit new") {
            var lines = [first(), "Sessions ended: \(output.endedSessions)."]
            if !output.activeAgents.isEmpty { lines.append("Active agents: \(output.activeAgents.count).") }
            if !output.pausedAgents.isEmpty {
                lines.append(
                    "Paused agents: \(output.pausedAgents.count). See `clavitor agent ls`, then `clavitor agent resume NAME`."
                )
            }
            return lines.joined(separator: "\n") + KitOutput.paragraph(RecoveryKit(output.recoveryKit))
        }
    }
}

struct Kit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Create or remove the recovery kit.", subcommands: [New.self, Remove.self])

    struct New: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Create a recovery kit, replacing an old one.")

        @OptionGroup var code: CodeOptions
        @OptionGroup(title: "Global options") var global: GlobalOptions

        func run() async throws {
            let context = try CommandContext(global)
            try await context.signedIn { signedIn in
                let l2Key = try await signedIn.l2Key()
                let kit = RecoveryKit()
                let recovery = kit.body(for: l2Key, origin: try signedIn.owner().pins.origin)
                try await signedIn.proving(code) { proof in
                    try await signedIn.send(
                        NodeRequest(
                            .put, "api/v1/account/recovery", body: KitBody(proof: proof, recovery: recovery)))
                }
                try context.show(
                    KitOutput(kit), otherwise: "The old kit is replaced. Create another: clavitor kit new"
                ) { kit.printed }
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove the recovery kit. If the password is lost then, the vault is lost.")

        @Flag(help: "Skip the confirmation.")
        var yes = false

        @OptionGroup var code: CodeOptions
        @OptionGroup(title: "Global options") var global: GlobalOptions

        func run() async throws {
            let context = try CommandContext(global)
            try await context.signedIn { signedIn in
                let question = "Remove the recovery kit? If the password is lost then, the vault is lost."
                guard try yes || context.terminal.confirm(question, otherwise: "Add --yes.") else { return }
                try await signedIn.proving(code) { proof in
                    try await signedIn.send(
                        NodeRequest(.delete, "api/v1/account/recovery", body: ProvenBody(proof: proof)))
                }
                context.terminal.note("Recovery kit removed.")
            }
        }
    }
}

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
