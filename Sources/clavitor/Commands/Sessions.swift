import ArgumentParser
import Console
import Wire

struct Sessions: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List and end sessions.", subcommands: [List.self, End.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "ls", abstract: "List sessions.")

        @OptionGroup(title: "Global options") var global: GlobalOptions

        func run() async throws {
            let context = try CommandContext(global)
            try await context.signedIn { signedIn in
                let list = try await signedIn.send(NodeRequest(.get, "api/v1/sessions"), as: SessionListBody.self)
                try context.show(list) {
                    var table = Table("id", "since", "last used", "until", "")
                    for session in list.sessions {
                        table.add(
                            session.id, Timestamp.text(session.createdAt), Timestamp.text(session.lastUsedAt),
                            Timestamp.text(session.expiresAt), session.isCurrent ? "this one" : "")
                    }
                    return table.text
                }
            }
        }
    }

    struct End: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "End a session.")

        @Argument(help: "Session id, as shown by `sessions ls`.")
        var id: String

        @OptionGroup(title: "Global options") var global: GlobalOptions

        func run() async throws {
            let context = try CommandContext(global)
            try await context.signedIn { signedIn in
                try await signedIn.send(NodeRequest(.delete, "api/v1/sessions", NameArgument.name(id)))
                context.terminal.note("Session ended.")
            }
        }
    }
}
