import ArgumentParser
import Console
import Wire

struct Agent: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Manage agents: programs with access to single fields of the vault.",
        subcommands: [
            Create.self, List.self, Show.self, Edit.self, Pause.self, Resume.self, Rotate.self, Revoke.self,
            Disclosures.self,
        ])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Create an agent and print its token, once.",
            discussion: """
                A grant covers one field (ENTRY/FIELD), all L1 fields of an entry (ENTRY/*), or by tag the fields of every \
                entry that has the tag, now or later (TAG/LABEL, TAG). L2 fields cannot be granted.
                """)

        @Argument(help: "Agent name.")
        var name: String

        @OptionGroup(title: "Permissions") var policy: AgentOptions
        @OptionGroup(title: "Global options") var global: GlobalOptions

        func run() async throws {
            let context = try CommandContext(global)
            try await context.signedIn { signedIn in
                var body = try policy.body(now: Timestamp.now)
                body.name = name
                body.verbs = policy.verb.isEmpty ? ["read"] : policy.verb
                body.grants = try await GrantInput(signedIn: signedIn).grants(
                    entries: policy.grant, tags: policy.grantTag)
                let created = try await signedIn.send(
                    NodeRequest(.post, "api/v1/agents", body: body).idempotent(), as: AgentTokenBody.self)
                try context.show(created, otherwise: AgentTokenBody.another(created.agent)) {
                    created.printed("\"\(created.agent.name.printable)\" created.")
                }
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "ls", abstract: "List agents.")

        @OptionGroup(title: "Global options") var global: GlobalOptions

        func run() async throws {
            let context = try CommandContext(global)
            try await context.signedIn { signedIn in
                let agents = try await AgentFinder(signedIn: signedIn).all()
                try context.show(AgentListBody(agents: agents)) {
                    var table = Table("name", "state", "verbs", "grants", "uses", "until", "id")
                    for agent in agents {
                        table.add(
                            agent.name, agent.state, agent.verbs.joined(separator: " "), "\(agent.grants.count)",
                            "\(agent.uses)" + (agent.maxUses.map { "/\($0)" } ?? ""),
                            agent.expiresAt.map(Timestamp.text) ?? "", agent.id)
                    }
                    return table.isEmpty ? "No agents." : table.text
                }
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show an agent's state, permissions and limits.")

        @Argument(help: "Agent name or id.")
        var agent: String

        @OptionGroup(title: "Global options") var global: GlobalOptions

        func run() async throws {
            let context = try CommandContext(global)
            try await context.signedIn { signedIn in
                let agent = try await AgentFinder(signedIn: signedIn).agent(agent)
                let names = context.printsJSON ? Names() : try await Names(signedIn)
                try context.show(agent) { agent.printed(names) }
            }
        }
    }

    struct Edit: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Change an agent.",
            discussion: """
                --grant and --grant-tag together replace all grants; --verb and --cidr replace all verbs and networks. \
                "none" removes a limit: --expires none. The token stays valid.
                """)

        @Argument(help: "Agent name or id.")
        var agent: String

        @Option(help: "A new name.")
        var name: String?

        @OptionGroup(title: "Permissions") var policy: AgentOptions
        @OptionGroup(title: "Global options") var global: GlobalOptions

        func run() async throws {
            let context = try CommandContext(global)
            try await context.signedIn { signedIn in
                let agent = try await AgentFinder(signedIn: signedIn).agent(agent)
                var body = try policy.body(now: Timestamp.now)
                body.name = name
                if !policy.verb.isEmpty { body.verbs = policy.verb }
                if !policy.grant.isEmpty || !policy.grantTag.isEmpty {
                    body.grants = try await GrantInput(signedIn: signedIn).grants(
                        entries: policy.grant, tags: policy.grantTag)
                }
                let changed = try await signedIn.send(
                    NodeRequest(.patch, "api/v1/agents", agent.id, body: body), as: AgentBody.self)
                let names = context.printsJSON ? Names() : try await Names(signedIn)
                try context.show(changed) { changed.printed(names) }
            }
        }
    }
}
