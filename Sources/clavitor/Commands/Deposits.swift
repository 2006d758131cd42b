import ArgumentParser
import Console
import VaultFormat
import Wire

struct Deposit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "As an agent: leave an entry for the vault's owner, who accepts it or not.",
        discussion: "The agent cannot read it back. All fields are L1.")

    @Argument(help: "Its title.")
    var title: String

    @OptionGroup var metadata: MetadataOptions
    @OptionGroup(title: "Fields") var fields: FieldOptions
    @OptionGroup(title: "Everywhere") var global: GlobalOptions

    func run() async throws {
        let workspace = try Workspace(global)
        let inputs = try fields.inputs()
        if let input = inputs.first(where: \.isL2) {
            throw CommandFailure(
                .usage, "A deposit has no L2 fields: its depositor does not have the owner's key.",
                hint: "--secret \"\(input.label)\"")
        }
        try await workspace.signedIn { signedIn in
            let writer = FieldWriter(signedIn: signedIn, entry: .random(), version: 1)
            var body = EntryWriteBody(
                title: title, type: (metadata.type ?? .login).rawValue, urls: metadata.url, tags: metadata.tag,
                notes: metadata.note, fields: [])
            for input in inputs { body.fields?.append(try await writer.added(input)) }
            let deposit = try await signedIn.send(
                NodeRequest(.post, "api/v1/deposits", body: body).once(), as: DepositBody.self)
            try workspace.show(deposit) { "Left for the vault's owner: \(deposit.id)" }
        }
    }
}

struct Deposits: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "See what agents have left, and accept or reject it.",
        subcommands: [List.self, Accept.self, Reject.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "ls", abstract: "List deposits.")

        @OptionGroup(title: "Everywhere") var global: GlobalOptions

        func run() async throws {
            let workspace = try Workspace(global)
            try await workspace.signedIn { signedIn in
                let deposits = try await EntryFinder(signedIn: signedIn).all(in: "api/v1/deposits")
                try workspace.show(EntryListBody(entries: deposits, next: nil)) {
                    var table = Table("title", "fields", "left by", "when", "id")
                    for entry in deposits {
                        table.add(
                            entry.title, entry.fields.map(\.label).joined(separator: ", "),
                            entry.depositorName ?? entry.depositor ?? "", Moment.text(entry.createdAt), entry.id)
                    }
                    return table.isEmpty ? "Nothing was left." : table.text
                }
            }
        }
    }

    struct Accept: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Make a deposit an entry like any other.")

        @Argument(help: "Its title or id.")
        var deposit: String

        @OptionGroup(title: "Everywhere") var global: GlobalOptions

        func run() async throws {
            let workspace = try Workspace(global)
            try await workspace.signedIn { signedIn in
                let deposit = try await Deposits.find(deposit, signedIn)
                let entry = try await signedIn.send(
                    NodeRequest(.post, "api/v1/deposits", deposit.id, "accept"), as: EntryBody.self)
                try workspace.show(entry) { "\"\(entry.title.printable)\" is an entry now." }
                try await Deposits.warn(of: entry, signedIn)
            }
        }
    }

    struct Reject: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Delete a deposit.")

        @Argument(help: "Its title or id.")
        var deposit: String

        @OptionGroup(title: "Everywhere") var global: GlobalOptions

        func run() async throws {
            let workspace = try Workspace(global)
            try await workspace.signedIn { signedIn in
                let deposit = try await Deposits.find(deposit, signedIn)
                try await signedIn.send(NodeRequest(.delete, "api/v1/deposits", deposit.id))
                workspace.terminal.note("\"\(deposit.title.printable)\" is deleted.")
            }
        }
    }

    /// An agent chose the title: one that other entries are found by too is worth a word.
    private static func warn(of entry: EntryBody, _ signedIn: SignedIn) async throws {
        let others = try await EntryFinder(signedIn: signedIn).titled([entry.title])
            .filter { $0.id != entry.id }
        let terminal = signedIn.workspace.terminal
        if !others.isEmpty {
            terminal.note("Another entry has this title: both go by their ids now, \(entry.id) and \(others[0].id).")
        } else if entry.title.contains("/") {
            terminal.note(
                "Its title has a slash, as paths to fields have. Another title: clavitor edit \(entry.id) --title")
        }
    }

    fileprivate static func find(_ name: String, _ signedIn: SignedIn) async throws -> EntryBody {
        let deposits = try await EntryFinder(signedIn: signedIn).all(in: "api/v1/deposits")
        return try EntryFinder.only(EntryFinder.matches(name, in: deposits), name, "deposit")
    }
}
