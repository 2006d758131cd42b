import ArgumentParser
import Console
import VaultFormat
import Wire

struct Edit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Change an entry.",
        discussion: """
            Existing fields get the new value, others are added. An L2 field stays L2 unless --to-l1 is given; \
            --password and --l2 make an L1 field L2. --url and --tag replace all URLs and tags; an empty one, --tag "", \
            removes all; --add-tag, --remove-tag, --add-url and --remove-url change single ones. If \
            the entry was changed meanwhile, nothing is written.
            """)

    @Argument(help: "Entry title or id.")
    var entry: String

    @Option(help: "New title.")
    var title: String?

    @Option(help: ArgumentHelp("Remove a field. Repeatable.", valueName: "label"))
    var remove: [String] = []

    @Option(help: ArgumentHelp("Rename a field. Repeatable.", valueName: "label=new label"))
    var rename: [String] = []

    @Option(name: .customLong("add-tag"), help: ArgumentHelp("Add a tag. Repeatable.", valueName: "tag"))
    var addTag: [String] = []

    @Option(name: .customLong("remove-tag"), help: ArgumentHelp("Remove a tag. Repeatable.", valueName: "tag"))
    var removeTag: [String] = []

    @Option(name: .customLong("add-url"), help: ArgumentHelp("Add a URL. Repeatable.", valueName: "url"))
    var addURL: [String] = []

    @Option(
        name: .customLong("remove-url"), help: ArgumentHelp("Remove a URL. Repeatable.", valueName: "url"))
    var removeURL: [String] = []

    @Option(
        name: .customLong("to-l1"),
        help: ArgumentHelp("Move an L2 field to L1, readable by the node. Repeatable.", valueName: "label"))
    var toL1: [String] = []

    @OptionGroup var metadata: MetadataOptions
    @OptionGroup(title: "Fields") var fields: FieldOptions
    @OptionGroup(title: "Global options") var global: GlobalOptions

    func run() async throws {
        let context = try CommandContext(global)
        let inputs = try fields.inputs()
        try await context.signedIn { signedIn in
            let old = try await EntryFinder(signedIn: signedIn).entry(entry)
            let body = try await changes(of: old, by: inputs, signedIn)
            let request = NodeRequest(.patch, "api/v1/entries", old.id, body: body, ifMatch: old.version)
            let new = try await signedIn.send(request, as: EntryBody.self)
            guard new.id == old.id, new.version == old.version + 1 else {
                throw CommandFailure(.failed, "The node wrote another version than requested; check the entry.")
            }
            try context.show(new) { "Changed \"\(new.title.printable)\": version \(new.version)." }
        }
    }

    private func changes(of old: EntryBody, by inputs: [FieldInput], _ signedIn: SignedIn) async throws
        -> EntryWriteBody
    {
        guard let id = EntryID(text: old.id) else {
            throw CommandFailure(.failed, "The node sent an invalid id.")
        }
        let lowered = Set(toL1.map { $0.lowercased() })
        let writer = FieldWriter(signedIn: signedIn, entry: id, old: old, toL1: lowered)
        var changes: [FieldWriteBody] = []
        for input in inputs {
            if EntryFinder.fields(input.label, of: old).isEmpty {
                changes.append(try await writer.added(input))
            } else {
                changes.append(try await writer.changed(try EntryFinder.field(input.label, of: old), input))
            }
        }
        for label in toL1 {
            let field = try EntryFinder.field(label, of: old)
            guard field.tier == 2, !changes.contains(where: { $0.id == field.id }) else { continue }
            changes.append(try await writer.lowered(field, in: old))
        }
        var gone: [FieldID] = []
        for label in remove {
            let field = try EntryFinder.field(label, of: old)
            guard !changes.contains(where: { $0.id == field.id }) else {
                throw CommandFailure(.usage, "The field \"\(label)\" cannot be both changed and removed.")
            }
            changes.append(FieldWriteBody(id: field.id, remove: true))
            if field.tier == 2, let id = FieldID(text: field.id) { gone.append(id) }
        }
        try await writer.forget(gone)
        for text in rename { try relabel(text, in: old, &changes) }
        let body = EntryWriteBody(
            title: title, type: metadata.type?.rawValue,
            urls: try Self.list("url", metadata.url, adding: addURL, removing: removeURL, to: old.urls),
            tags: try Self.list("tag", metadata.tag, adding: addTag, removing: removeTag, to: old.tags),
            notes: try metadata.notes(signedIn.context.secrets), fields: changes.isEmpty ? nil : changes,
            l2: try await writer.l2Body())
        guard body.changesSomething else {
            throw CommandFailure(.usage, "No change was given.", hint: "clavitor edit --help")
        }
        return body
    }

    private func relabel(_ text: String, in old: EntryBody, _ changes: inout [FieldWriteBody]) throws {
        guard let equals = text.firstIndex(of: "="), equals != text.startIndex,
            text.index(after: equals) != text.endIndex
        else {
            throw CommandFailure(.usage, "--rename \(text) must be LABEL=NEW_LABEL.", hint: "--rename LABEL=NEW_LABEL")
        }
        let field = try EntryFinder.field(String(text[..<equals]), of: old)
        let label = String(text[text.index(after: equals)...])
        if let index = changes.firstIndex(where: { $0.id == field.id }) {
            changes[index].label = label
        } else {
            changes.append(FieldWriteBody(id: field.id, label: label))
        }
    }

    /// The new list: a replacement, or the old list with additions and removals. Nil if no option was given.
    private static func list(
        _ name: String, _ new: [String], adding: [String], removing: [String], to old: [String]?
    ) throws -> [String]? {
        if !new.isEmpty {
            guard adding.isEmpty, removing.isEmpty else {
                throw CommandFailure(
                    .usage, "--\(name) replaces all, so it cannot be combined with --add-\(name) or --remove-\(name).")
            }
            return new.filter { !$0.isEmpty }
        }
        if adding.isEmpty, removing.isEmpty { return nil }
        var list = old ?? []
        for item in removing {
            guard let index = list.firstIndex(where: { $0.lowercased() == item.lowercased() }) else {
                throw CommandFailure(.notFound, "The entry has no \(name) \"\(item.printable)\".")
            }
            list.remove(at: index)
        }
        return list + adding.filter { item in !list.contains { $0.lowercased() == item.lowercased() } }
    }
}

extension EntryWriteBody {
    fileprivate var changesSomething: Bool {
        title != nil || type != nil || urls != nil || tags != nil || notes != nil || fields != nil
    }
}
