import ArgumentParser
import Console
import Wire

extension Agent {
    struct Pause: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Pause an agent: its token stops working until resumed.")

        @Argument(help: "Agent name or id.")
        var agent: String

        @OptionGroup(title: "Global options") var global: GlobalOptions

        func run() async throws {
            try await Agent.setPaused(true, agent, try CommandContext(global))
        }
    }

    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Resume a paused or suspended agent.")

        @Argument(help: "Agent name or id.")
        var agent: String

        @OptionGroup(title: "Global options") var global: GlobalOptions

        func run() async throws {
            try await Agent.setPaused(false, agent, try CommandContext(global))
        }
    }

    private static func setPaused(_ isPaused: Bool, _ name: String, _ context: CommandContext) async throws {
        try await context.signedIn { signedIn in
            let agent = try await AgentFinder(signedIn: signedIn).agent(name)
            let changed = try await signedIn.send(
                NodeRequest(.patch, "api/v1/agents", agent.id, body: AgentWriteBody(paused: isPaused)),
                as: AgentBody.self)
            try context.show(changed) { "\"\(changed.name.printable)\" is \(changed.state)." }
        }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Replace an agent's token; the old token stops working at once.",
            discussion: "For a lost token. Lists the values that it could read; change those at their source.")

        @Argument(help: "Agent name or id.")
        var agent: String

        @OptionGroup(title: "Global options") var global: GlobalOptions

        func run() async throws {
            let context = try CommandContext(global)
            try await context.signedIn { signedIn in
                let agent = try await AgentFinder(signedIn: signedIn).agent(agent)
                let rotated = try await signedIn.send(
                    NodeRequest(.post, "api/v1/agents", agent.id, "rotate"), as: AgentTokenBody.self)
                let names = context.printsJSON ? Names() : try await Names(signedIn)
                try context.show(rotated, otherwise: AgentTokenBody.another(rotated.agent)) {
                    rotated.printed("\"\(rotated.agent.name.printable)\" has a new token.")
                        + (rotated.disclosures.map { "\n\n" + $0.printed(names) } ?? "")
                }
            }
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Revoke an agent: its token stops working at once. Lists what it could read and has read.")

        @Argument(help: "Agent name or id.")
        var agent: String

        @OptionGroup(title: "Global options") var global: GlobalOptions

        func run() async throws {
            let context = try CommandContext(global)
            try await context.signedIn { signedIn in
                let agent = try await AgentFinder(signedIn: signedIn).agent(agent)
                let disclosures = try await signedIn.send(
                    NodeRequest(.delete, "api/v1/agents", agent.id), as: DisclosuresBody.self)
                let names = context.printsJSON ? Names() : try await Names(signedIn)
                try context.show(disclosures) {
                    "\"\(agent.name.printable)\" is revoked.\n\n" + disclosures.printed(names)
                }
            }
        }
    }

    struct Disclosures: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List what an agent can read and has read: what to change if its token is lost.")

        @Argument(help: "Agent name or id.")
        var agent: String

        @OptionGroup(title: "Global options") var global: GlobalOptions

        func run() async throws {
            let context = try CommandContext(global)
            try await context.signedIn { signedIn in
                let agent = try await AgentFinder(signedIn: signedIn).agent(agent)
                let disclosures = try await signedIn.send(
                    NodeRequest(.get, "api/v1/agents", agent.id, "disclosures"), as: DisclosuresBody.self)
                let names = context.printsJSON ? Names() : try await Names(signedIn)
                try context.show(disclosures) { disclosures.printed(names) }
            }
        }
    }
}
