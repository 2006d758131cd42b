import ArgumentParser
import Console
import VaultFormat
import Wire

struct Remove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm", abstract: "Move an entry to the trash. Undo with `restore`.")

    @Argument(help: "Entry title or id.")
    var entry: String

    @OptionGroup(title: "Global options") var global: GlobalOptions

    func run() async throws {
        let context = try CommandContext(global)
        try await context.signedIn { signedIn in
            let entry = try await EntryFinder(signedIn: signedIn).entry(entry)
            try await signedIn.send(NodeRequest(.delete, "api/v1/entries", entry.id, ifMatch: entry.version))
            context.terminal.note("\"\(entry.title.printable)\" is in the trash.")
        }
    }
}

struct Purge: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Delete a trashed entry with its history permanently.")

    @Argument(help: "Entry title or id, as shown by `ls --trash`.")
    var entry: String

    @Flag(help: "Skip the confirmation.")
    var yes = false

    @OptionGroup(title: "Global options") var global: GlobalOptions

    func run() async throws {
        let context = try CommandContext(global)
        try await context.signedIn { signedIn in
            let trash = try await EntryFinder(signedIn: signedIn).all(in: "api/v1/trash")
            let entry = try EntryFinder.only(EntryFinder.matches(entry, in: trash), entry, "entry in the trash")
            let question = "Delete \"\(entry.title.printable)\" and its history permanently?"
            guard try yes || context.terminal.confirm(question, otherwise: "Add --yes.") else { return }
            try await signedIn.send(NodeRequest(.delete, "api/v1/trash", entry.id, ifMatch: entry.version))
            context.terminal.note("\"\(entry.title.printable)\" is deleted.")
        }
    }
}

struct Restore: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Restore an entry from the trash, or an older version of it.")

    @Argument(help: "Entry title or id.")
    var entry: String

    @Option(help: "Version to restore, as a new version.")
    var version: Int?

    @OptionGroup(title: "Global options") var global: GlobalOptions

    func run() async throws {
        let context = try CommandContext(global)
        try await context.signedIn { signedIn in
            let finder = EntryFinder(signedIn: signedIn)
            let restored: EntryBody
            if let version {
                restored = try await restore(try await finder.entry(entry), to: version, signedIn)
            } else {
                let trash = try await finder.all(in: "api/v1/trash")
                let entry = try EntryFinder.only(EntryFinder.matches(entry, in: trash), entry, "entry in the trash")
                restored = try await post(RestoreBody(), to: entry, signedIn)
            }
            try context.show(restored) { "\"\(restored.title.printable)\" is restored: version \(restored.version)." }
        }
    }

    /// Re-encrypts L2 values that have changed since for the new version, which only the client can.
    private func restore(_ entry: EntryBody, to version: Int, _ signedIn: SignedIn) async throws -> EntryBody {
        guard let id = EntryID(text: entry.id) else { throw CommandFailure(.failed, "The node sent an invalid id.") }
        let writer = FieldWriter(signedIn: signedIn, entry: id, old: entry)
        var body = RestoreBody(version: version)
        // A current L2 field that was written later goes, or gets its older value.
        for field in entry.fields where field.tier == 2 && field.version > version {
            guard let field = FieldID(text: field.id) else { continue }
            try await writer.remove(field)
        }
        do {
            body.l2 = try await writer.l2Body()
            return try await post(body, to: entry, signedIn)
        } catch let problem as Problem where problem.code == .needsEnvelopes {
            var fields: [FieldWriteBody] = []
            for text in problem.fields ?? [] {
                guard let field = FieldID(text: text) else { throw problem }
                let place = FieldBody(id: text, label: text, kind: FieldKind.secret.rawValue, tier: 2, version: 0)
                let value = try await FieldReader(signedIn: signedIn).value(
                    of: place, in: writer.old ?? entry, at: version)
                fields.append(FieldWriteBody(id: text, envelope: try await writer.sealed(value, field)))
            }
            body.fields = fields
            body.l2 = try await writer.l2Body()
            return try await post(body, to: entry, signedIn)
        }
    }

    private func post(_ body: RestoreBody, to entry: EntryBody, _ signedIn: SignedIn) async throws -> EntryBody {
        try await signedIn.send(
            NodeRequest(.post, "api/v1/entries", entry.id, "restore", body: body, ifMatch: entry.version))
    }
}

struct History: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the versions of an entry.")

    @Argument(help: "Entry title or id.")
    var entry: String

    @OptionGroup(title: "Global options") var global: GlobalOptions

    func run() async throws {
        let context = try CommandContext(global)
        try await context.signedIn { signedIn in
            let entry = try await EntryFinder(signedIn: signedIn).entry(entry)
            let history = try await signedIn.send(
                NodeRequest(.get, "api/v1/entries", entry.id, "versions"), as: VersionsBody.self)
            try context.show(history) {
                var table = Table("version", "when", "who", "fields written")
                for version in history.versions {
                    let labels = version.fields.map { id in entry.fields.first { $0.id == id }?.label ?? "(removed)" }
                    table.add(
                        "\(version.version)", Timestamp.text(version.at),
                        version.agentName ?? "you",
                        labels.isEmpty ? "title or details" : labels.joined(separator: ", "))
                }
                return table.text
            }
        }
    }
}
