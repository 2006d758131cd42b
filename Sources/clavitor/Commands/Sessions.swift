import ArgumentParser
import Console
import Wire

struct Sessions: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show and end sessions.", subcommands: [List.self, End.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "ls", abstract: "List what is signed in.")

        @OptionGroup(title: "Everywhere") var global: GlobalOptions

        func run() async throws {
            let workspace = try Workspace(global)
            try await workspace.signedIn { signedIn in
                let list = try await signedIn.send(NodeRequest(.get, "api/v1/sessions"), as: SessionListBody.self)
                try workspace.show(list) {
                    var table = Table("id", "since", "last used", "until", "")
                    for session in list.sessions {
                        table.add(
                            session.id, Moment.text(session.createdAt), Moment.text(session.lastUsedAt),
                            Moment.text(session.expiresAt), session.isCurrent ? "this one" : "")
                    }
                    return table.text
                }
            }
        }
    }

    struct End: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "End a session.")

        @Argument(help: "Its id, as `sessions ls` shows it.")
        var id: String

        @OptionGroup(title: "Everywhere") var global: GlobalOptions

        func run() async throws {
            let workspace = try Workspace(global)
            try await workspace.signedIn { signedIn in
                try await signedIn.send(NodeRequest(.delete, "api/v1/sessions", NameArgument.name(id)))
                workspace.terminal.note("The session has ended.")
            }
        }
    }
}
