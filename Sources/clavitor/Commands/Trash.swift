import ArgumentParser
import Console
import VaultFormat
import Wire

struct Remove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm", abstract: "Move an entry to the trash. `restore` brings it back.")

    @Argument(help: "The entry's title or id.")
    var entry: String

    @OptionGroup(title: "Everywhere") var global: GlobalOptions

    func run() async throws {
        let workspace = try Workspace(global)
        try await workspace.signedIn { signedIn in
            let entry = try await EntryFinder(signedIn: signedIn).entry(entry)
            try await signedIn.send(NodeRequest(.delete, "api/v1/entries", entry.id, ifMatch: entry.version))
            workspace.terminal.note("\"\(entry.title.printable)\" is in the trash.")
        }
    }
}

struct Purge: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Delete an entry in the trash, with its history, for good.")

    @Argument(help: "The entry's title or id, as `ls --trash` shows it.")
    var entry: String

    @Flag(help: "Do not ask.")
    var yes = false

    @OptionGroup(title: "Everywhere") var global: GlobalOptions

    func run() async throws {
        let workspace = try Workspace(global)
        try await workspace.signedIn { signedIn in
            let trash = try await EntryFinder(signedIn: signedIn).all(in: "api/v1/trash")
            let entry = try EntryFinder.only(EntryFinder.matches(entry, in: trash), entry, "entry in the trash")
            let question = "Delete \"\(entry.title.printable)\" and its history for good?"
            guard try yes || workspace.terminal.confirm(question, otherwise: "Add --yes.") else { return }
            try await signedIn.send(NodeRequest(.delete, "api/v1/trash", entry.id, ifMatch: entry.version))
            workspace.terminal.note("\"\(entry.title.printable)\" is gone.")
        }
    }
}

struct Restore: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Bring an entry back: out of the trash, or to an older version.")

    @Argument(help: "The entry's title or id.")
    var entry: String

    @Option(help: "The version to go back to. What is written is a new version.")
    var version: Int?

    @OptionGroup(title: "Everywhere") var global: GlobalOptions

    func run() async throws {
        let workspace = try Workspace(global)
        try await workspace.signedIn { signedIn in
            let finder = EntryFinder(signedIn: signedIn)
            let restored: EntryBody
            if let version {
                restored = try await restore(try await finder.entry(entry), to: version, signedIn)
            } else {
                let trash = try await finder.all(in: "api/v1/trash")
                let entry = try EntryFinder.only(EntryFinder.matches(entry, in: trash), entry, "entry in the trash")
                restored = try await post(RestoreBody(), to: entry, signedIn)
            }
            try workspace.show(restored) { "\"\(restored.title.printable)\" is back: version \(restored.version)." }
        }
    }

    /// L2 values that have changed since are encrypted anew for the version that this makes: only this machine can.
    private func restore(_ entry: EntryBody, to version: Int, _ signedIn: SignedIn) async throws -> EntryBody {
        do {
            return try await post(RestoreBody(version: version), to: entry, signedIn)
        } catch let problem as Problem where problem.code == .needsEnvelopes {
            guard let id = EntryID(text: entry.id) else { throw problem }
            let writer = FieldWriter(signedIn: signedIn, entry: id, version: entry.version + 1)
            var fields: [FieldWriteBody] = []
            for text in problem.fields ?? [] {
                guard let field = FieldID(text: text) else { throw problem }
                let place = FieldBody(id: text, label: text, kind: FieldKind.secret.rawValue, tier: 2, version: 0)
                let value = try await FieldReader(signedIn: signedIn).value(of: place, in: entry, at: version)
                fields.append(FieldWriteBody(id: text, envelope: try await writer.sealed(value, field)))
            }
            return try await post(RestoreBody(version: version, fields: fields), to: entry, signedIn)
        }
    }

    private func post(_ body: RestoreBody, to entry: EntryBody, _ signedIn: SignedIn) async throws -> EntryBody {
        try await signedIn.send(
            NodeRequest(.post, "api/v1/entries", entry.id, "restore", body: body, ifMatch: entry.version))
    }
}

struct History: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show an entry's versions.")

    @Argument(help: "The entry's title or id.")
    var entry: String

    @OptionGroup(title: "Everywhere") var global: GlobalOptions

    func run() async throws {
        let workspace = try Workspace(global)
        try await workspace.signedIn { signedIn in
            let entry = try await EntryFinder(signedIn: signedIn).entry(entry)
            let history = try await signedIn.send(
                NodeRequest(.get, "api/v1/entries", entry.id, "versions"), as: VersionsBody.self)
            try workspace.show(history) {
                var table = Table("version", "when", "who", "fields written")
                for version in history.versions {
                    let labels = version.fields.map { id in entry.fields.first { $0.id == id }?.label ?? "(removed)" }
                    table.add(
                        "\(version.version)", Moment.text(version.at),
                        version.agentName ?? "you",
                        labels.isEmpty ? "title or details" : labels.joined(separator: ", "))
                }
                return table.text
            }
        }
    }
}
