import ArgumentParser
import Console
import Wire

extension Agent {
    struct Pause: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Make an agent's token stop working for a while.")

        @Argument(help: "Its name or id.")
        var agent: String

        @OptionGroup(title: "Everywhere") var global: GlobalOptions

        func run() async throws {
            try await Agent.setPaused(true, agent, try Workspace(global))
        }
    }

    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a paused or suspended agent's token work again.")

        @Argument(help: "Its name or id.")
        var agent: String

        @OptionGroup(title: "Everywhere") var global: GlobalOptions

        func run() async throws {
            try await Agent.setPaused(false, agent, try Workspace(global))
        }
    }

    private static func setPaused(_ isPaused: Bool, _ name: String, _ workspace: Workspace) async throws {
        try await workspace.signedIn { signedIn in
            let agent = try await AgentFinder(signedIn: signedIn).agent(name)
            let changed = try await signedIn.send(
                NodeRequest(.patch, "api/v1/agents", agent.id, body: AgentWriteBody(paused: isPaused)),
                as: AgentBody.self)
            try workspace.show(changed) { "\"\(changed.name.printable)\" is \(changed.state)." }
        }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give an agent a new token; the old one opens nothing from now on.",
            discussion: "After a token was lost: values that it could read are listed. Change those at their source.")

        @Argument(help: "Its name or id.")
        var agent: String

        @OptionGroup(title: "Everywhere") var global: GlobalOptions

        func run() async throws {
            let workspace = try Workspace(global)
            try await workspace.signedIn { signedIn in
                let agent = try await AgentFinder(signedIn: signedIn).agent(agent)
                let rotated = try await signedIn.send(
                    NodeRequest(.post, "api/v1/agents", agent.id, "rotate"), as: AgentTokenBody.self)
                let names = workspace.printsJSON ? Names() : try await Names(signedIn)
                try workspace.show(rotated, otherwise: AgentTokenBody.another(rotated.agent)) {
                    rotated.printed("\"\(rotated.agent.name.printable)\" has a new token.")
                        + (rotated.disclosures.map { "\n\n" + $0.printed(names) } ?? "")
                }
            }
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End an agent: its token opens nothing from now on. Prints what it could and did read.")

        @Argument(help: "Its name or id.")
        var agent: String

        @OptionGroup(title: "Everywhere") var global: GlobalOptions

        func run() async throws {
            let workspace = try Workspace(global)
            try await workspace.signedIn { signedIn in
                let agent = try await AgentFinder(signedIn: signedIn).agent(agent)
                let disclosures = try await signedIn.send(
                    NodeRequest(.delete, "api/v1/agents", agent.id), as: DisclosuresBody.self)
                let names = workspace.printsJSON ? Names() : try await Names(signedIn)
                try workspace.show(disclosures) {
                    "\"\(agent.name.printable)\" is revoked.\n\n" + disclosures.printed(names)
                }
            }
        }
    }

    struct Disclosures: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what an agent can read now and what it has read: what to change if its token is lost.")

        @Argument(help: "Its name or id.")
        var agent: String

        @OptionGroup(title: "Everywhere") var global: GlobalOptions

        func run() async throws {
            let workspace = try Workspace(global)
            try await workspace.signedIn { signedIn in
                let agent = try await AgentFinder(signedIn: signedIn).agent(agent)
                let disclosures = try await signedIn.send(
                    NodeRequest(.get, "api/v1/agents", agent.id, "disclosures"), as: DisclosuresBody.self)
                let names = workspace.printsJSON ? Names() : try await Names(signedIn)
                try workspace.show(disclosures) { disclosures.printed(names) }
            }
        }
    }
}
