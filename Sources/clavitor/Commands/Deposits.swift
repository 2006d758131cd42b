import ArgumentParser
import Console
import VaultFormat
import Wire

struct Deposit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Deposit an entry for the vault's owner to accept or reject. For agents.",
        discussion: "The agent cannot read it back. All fields are L1.")

    @Argument(help: "Entry title.")
    var title: String

    @OptionGroup var metadata: MetadataOptions
    @OptionGroup(title: "Fields") var fields: FieldOptions
    @OptionGroup(title: "Global options") var global: GlobalOptions

    func run() async throws {
        let context = try CommandContext(global)
        let inputs = try fields.inputs()
        if let input = inputs.first(where: \.isL2) {
            throw CommandFailure(
                .usage, "A deposit cannot have L2 fields: the agent does not have the owner's key.",
                hint: "--secret \"\(input.label)\"")
        }
        try await context.signedIn { signedIn in
            let writer = FieldWriter(signedIn: signedIn, entry: .random())
            var body = EntryWriteBody(
                title: title, type: (metadata.type ?? .login).rawValue, urls: metadata.url, tags: metadata.tag,
                notes: metadata.note, fields: [])
            for input in inputs { body.fields?.append(try await writer.added(input)) }
            let deposit = try await signedIn.send(
                NodeRequest(.post, "api/v1/deposits", body: body).idempotent(), as: DepositBody.self)
            try context.show(deposit) { "Deposited: \(deposit.id)" }
        }
    }
}

struct Deposits: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List, accept or reject deposits of agents.",
        subcommands: [List.self, Accept.self, Reject.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "ls", abstract: "List deposits.")

        @OptionGroup(title: "Global options") var global: GlobalOptions

        func run() async throws {
            let context = try CommandContext(global)
            try await context.signedIn { signedIn in
                let deposits = try await EntryFinder(signedIn: signedIn).all(in: "api/v1/deposits")
                try context.show(EntryListBody(entries: deposits, next: nil)) {
                    var table = Table("title", "fields", "left by", "when", "id")
                    for entry in deposits {
                        table.add(
                            entry.title, entry.fields.map(\.label).joined(separator: ", "),
                            entry.depositorName ?? entry.depositor ?? "", Timestamp.text(entry.createdAt), entry.id)
                    }
                    return table.isEmpty ? "No deposits." : table.text
                }
            }
        }
    }

    struct Accept: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Accept a deposit as an entry.")

        @Argument(help: "Deposit title or id.")
        var deposit: String

        @OptionGroup(title: "Global options") var global: GlobalOptions

        func run() async throws {
            let context = try CommandContext(global)
            try await context.signedIn { signedIn in
                let deposit = try await Deposits.find(deposit, signedIn)
                let entry = try await signedIn.send(
                    NodeRequest(.post, "api/v1/deposits", deposit.id, "accept"), as: EntryBody.self)
                try context.show(entry) { "\"\(entry.title.printable)\" is accepted." }
                try await Deposits.warn(of: entry, signedIn)
            }
        }
    }

    struct Reject: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Reject and delete a deposit.")

        @Argument(help: "Deposit title or id.")
        var deposit: String

        @OptionGroup(title: "Global options") var global: GlobalOptions

        func run() async throws {
            let context = try CommandContext(global)
            try await context.signedIn { signedIn in
                let deposit = try await Deposits.find(deposit, signedIn)
                try await signedIn.send(NodeRequest(.delete, "api/v1/deposits", deposit.id))
                context.terminal.note("\"\(deposit.title.printable)\" is deleted.")
            }
        }
    }

    /// Warns if the deposit's title, which an agent chose, is ambiguous.
    private static func warn(of entry: EntryBody, _ signedIn: SignedIn) async throws {
        let others = try await EntryFinder(signedIn: signedIn).titled([entry.title])
            .filter { $0.id != entry.id }
        let terminal = signedIn.context.terminal
        if !others.isEmpty {
            terminal.note("Another entry has this title. Use the ids: \(entry.id) and \(others[0].id).")
        } else if entry.title.contains("/") {
            terminal.note(
                "The title contains a slash, like a path to a field. To rename it: clavitor edit \(entry.id) --title")
        }
    }

    fileprivate static func find(_ name: String, _ signedIn: SignedIn) async throws -> EntryBody {
        let deposits = try await EntryFinder(signedIn: signedIn).all(in: "api/v1/deposits")
        return try EntryFinder.only(EntryFinder.matches(name, in: deposits), name, "deposit")
    }
}
