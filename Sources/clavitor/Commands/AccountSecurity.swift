import ArgumentParser
import Wire

struct SignOutEverywhere: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign-out-everywhere", abstract: "End every session on every machine; the password stays.",
        discussion: """
            For when somebody may have been in. The recovery kit ends too: a new one is printed. Agents are paused, but for \
            those that --keep-agent names; `clavitor agent resume` brings them back.
            """)

    @Option(name: .customLong("keep-agent"), help: "An agent that goes on, by name or id (repeatable).")
    var keptAgents: [String] = []

    @OptionGroup var code: CodeOptions
    @OptionGroup(title: "Everywhere") var global: GlobalOptions

    func run() async throws {
        let workspace = try Workspace(global)
        try await workspace.signedIn { signedIn in
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
            try workspace.showChange(OwnerChangeOutput(change, kit)) { "Every other session has ended." }
            try signedIn.adopt(change.session, keys: keys)
        }
    }
}

/// What became of everything that could open the vault, and the new kit. Shown before anything else can fail: the kit is
/// good from the node's answer on.
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

extension Workspace {
    func showChange(_ output: OwnerChangeOutput, _ first: () -> String) throws {
        try show(output, otherwise: "The change is made. Make another kit: clavitor login, then clavitor kit new") {
            var lines = [first(), "Sessions ended: \(output.endedSessions)."]
            if !output.activeAgents.isEmpty { lines.append("Agents that go on: \(output.activeAgents.count).") }
            if !output.pausedAgents.isEmpty {
                lines.append(
                    "Agents that are paused: \(output.pausedAgents.count). See `clavitor agent ls`, then `clavitor agent resume NAME`."
                )
            }
            return lines.joined(separator: "\n") + KitOutput.paragraph(RecoveryKit(output.recoveryKit))
        }
    }
}

struct Kit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make or remove the recovery kit.", subcommands: [New.self, Remove.self])

    struct New: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print a new recovery kit; an old one ends.")

        @OptionGroup var code: CodeOptions
        @OptionGroup(title: "Everywhere") var global: GlobalOptions

        func run() async throws {
            let workspace = try Workspace(global)
            try await workspace.signedIn { signedIn in
                let l2Key = try await signedIn.l2Key()
                let kit = RecoveryKit()
                let recovery = kit.body(for: l2Key, origin: try signedIn.owner().pins.origin)
                try await signedIn.proving(code) { proof in
                    try await signedIn.send(
                        NodeRequest(
                            .put, "api/v1/account/recovery", body: KitBody(proof: proof, recovery: recovery)))
                }
                try workspace.show(
                    KitOutput(kit), otherwise: "The old kit has ended. Make another: clavitor kit new"
                ) { kit.printed }
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End the recovery kit: without the password the vault is lost then.")

        @Flag(help: "Do not ask.")
        var yes = false

        @OptionGroup var code: CodeOptions
        @OptionGroup(title: "Everywhere") var global: GlobalOptions

        func run() async throws {
            let workspace = try Workspace(global)
            try await workspace.signedIn { signedIn in
                let question = "Remove the recovery kit? Without the password the vault is lost then."
                guard try yes || workspace.terminal.confirm(question, otherwise: "Add --yes.") else { return }
                try await signedIn.proving(code) { proof in
                    try await signedIn.send(
                        NodeRequest(.delete, "api/v1/account/recovery", body: ProvenBody(proof: proof)))
                }
                workspace.terminal.note("The recovery kit opens nothing any more.")
            }
        }
    }
}

struct SecondFactor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "second-factor", abstract: "Ask for a one-time code at every login, or stop.",
        subcommands: [Enable.self, Disable.self])

    struct Enable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Switch the second factor on.")

        @OptionGroup var code: CodeOptions
        @OptionGroup(title: "Everywhere") var global: GlobalOptions

        func run() async throws {
            let workspace = try Workspace(global)
            try await workspace.signedIn { signedIn in
                let begun = try await signedIn.send(
                    NodeRequest(.post, "api/v1/account/totp", body: SecondFactorRequestBody()),
                    as: SecondFactorBody.self)
                workspace.terminal.note(
                    "Enter this in an authenticator app:\n\n    \(begun.secret ?? "")\n    \(begun.uri ?? "")\n")
                let shown = try workspace.terminal.ask("The code it shows now", otherwise: "This needs a terminal.")
                let done = try await signedIn.proving(code) { proof in
                    try await signedIn.send(
                        NodeRequest(
                            .post, "api/v1/account/totp",
                            body: SecondFactorRequestBody(proof: proof, code: shown.filter { !$0.isWhitespace })),
                        as: SecondFactorBody.self)
                }
                try workspace.show(
                    done,
                    otherwise: "The second factor is on. For other codes: clavitor second-factor disable, then enable"
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
        static let configuration = CommandConfiguration(abstract: "Switch the second factor off.")

        @OptionGroup var code: CodeOptions
        @OptionGroup(title: "Everywhere") var global: GlobalOptions

        func run() async throws {
            let workspace = try Workspace(global)
            try await workspace.signedIn { signedIn in
                try await signedIn.proving(code) { proof in
                    try await signedIn.send(
                        NodeRequest(.delete, "api/v1/account/totp", body: ProvenBody(proof: proof)))
                }
                workspace.terminal.note("The second factor is off.")
            }
        }
    }
}

struct DeleteAccount: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete-account", abstract: "Delete the account and everything in its vault, for good.")

    @Flag(help: "Do not ask.")
    var yes = false

    @OptionGroup(title: "Everywhere") var global: GlobalOptions

    func run() async throws {
        let workspace = try Workspace(global)
        try await workspace.signedIn { signedIn in
            let account = try signedIn.owner()
            if !yes {
                let typed = try workspace.terminal.ask(
                    "Everything in the vault will be gone. Type \(account.email) to go on", otherwise: "Add --yes.")
                guard typed == account.email else {
                    throw CommandFailure(.usage, "That is not the address; nothing was deleted.")
                }
            }
            try await signedIn.send(NodeRequest(.delete, "api/v1/account"))
            try workspace.sessions.forget(account)
            workspace.terminal.note("\(account.email) is deleted.")
        }
    }
}
