import ArgumentParser
import Console
import Wire

struct Agent: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Give programs their own narrow view of the vault.",
        subcommands: [
            Create.self, List.self, Show.self, Edit.self, Pause.self, Resume.self, Rotate.self, Revoke.self,
            Disclosures.self,
        ])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make an agent and print its token, once.",
            discussion: """
                A grant names one field (ENTRY/FIELD), all L1 fields of an entry (ENTRY/*), or by tag those of every \
                entry that has it, now or later (TAG/LABEL, TAG). L2 fields cannot be granted.
                """)

        @Argument(help: "A name for it.")
        var name: String

        @OptionGroup(title: "What it may do") var policy: AgentOptions
        @OptionGroup(title: "Everywhere") var global: GlobalOptions

        func run() async throws {
            let workspace = try Workspace(global)
            try await workspace.signedIn { signedIn in
                var body = try policy.body(now: Moment.now)
                body.name = name
                body.verbs = policy.verb.isEmpty ? ["read"] : policy.verb
                body.grants = try await GrantInput(signedIn: signedIn).grants(
                    entries: policy.grant, tags: policy.grantTag)
                let created = try await signedIn.send(
                    NodeRequest(.post, "api/v1/agents", body: body).once(), as: AgentTokenBody.self)
                try workspace.show(created, otherwise: AgentTokenBody.another(created.agent)) {
                    created.printed("\"\(created.agent.name.printable)\" is made.")
                }
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "ls", abstract: "List agents.")

        @OptionGroup(title: "Everywhere") var global: GlobalOptions

        func run() async throws {
            let workspace = try Workspace(global)
            try await workspace.signedIn { signedIn in
                let agents = try await AgentFinder(signedIn: signedIn).all()
                try workspace.show(AgentListBody(agents: agents)) {
                    var table = Table("name", "state", "verbs", "grants", "uses", "until", "id")
                    for agent in agents {
                        table.add(
                            agent.name, agent.state, agent.verbs.joined(separator: " "), "\(agent.grants.count)",
                            "\(agent.uses)" + (agent.maxUses.map { "/\($0)" } ?? ""),
                            agent.expiresAt.map(Moment.text) ?? "", agent.id)
                    }
                    return table.isEmpty ? "There are no agents." : table.text
                }
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show what an agent may do.")

        @Argument(help: "Its name or id.")
        var agent: String

        @OptionGroup(title: "Everywhere") var global: GlobalOptions

        func run() async throws {
            let workspace = try Workspace(global)
            try await workspace.signedIn { signedIn in
                let agent = try await AgentFinder(signedIn: signedIn).agent(agent)
                let names = workspace.printsJSON ? Names() : try await Names(signedIn)
                try workspace.show(agent) { agent.printed(names) }
            }
        }
    }

    struct Edit: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Change an agent.",
            discussion: """
                --grant and --grant-tag together replace all its grants, --verb and --cidr all of theirs. "none" takes \
                a limit away: --expires none. Its token stays the same.
                """)

        @Argument(help: "Its name or id.")
        var agent: String

        @Option(help: "A new name.")
        var name: String?

        @OptionGroup(title: "What it may do") var policy: AgentOptions
        @OptionGroup(title: "Everywhere") var global: GlobalOptions

        func run() async throws {
            let workspace = try Workspace(global)
            try await workspace.signedIn { signedIn in
                let agent = try await AgentFinder(signedIn: signedIn).agent(agent)
                var body = try policy.body(now: Moment.now)
                body.name = name
                if !policy.verb.isEmpty { body.verbs = policy.verb }
                if !policy.grant.isEmpty || !policy.grantTag.isEmpty {
                    body.grants = try await GrantInput(signedIn: signedIn).grants(
                        entries: policy.grant, tags: policy.grantTag)
                }
                let changed = try await signedIn.send(
                    NodeRequest(.patch, "api/v1/agents", agent.id, body: body), as: AgentBody.self)
                let names = workspace.printsJSON ? Names() : try await Names(signedIn)
                try workspace.show(changed) { changed.printed(names) }
            }
        }
    }
}
