import Console
import Vault
import Wire

/// Finds entries and fields by what people type: an id, or a title or label without regard to case.
struct EntryFinder {
    let signedIn: SignedIn

    /// Every entry that the caller may see.
    func all(in path: String = "api/v1/entries") async throws -> [EntryBody] {
        var entries: [EntryBody] = []
        var cursor: String?
        repeat {
            let request = NodeRequest(.get, path).with("limit", 100).with("cursor", cursor)
            let page = try await signedIn.send(request, as: EntryListBody.self)
            entries += page.entries
            cursor = page.next
        } while cursor != nil
        return entries
    }

    /// The one entry with this id or title.
    func entry(_ name: String) async throws -> EntryBody {
        if let id = EntryID(text: name) {
            do {
                return try await entry(id)
            } catch let problem as Problem where problem.code == "no-such-entry" {
                // Twenty-two characters can be a title too.
            }
        }
        return try Self.only(Self.matches(name, in: try await all()), name, "entry")
    }

    private func entry(_ id: EntryID) async throws -> EntryBody {
        let entry = try await signedIn.send(NodeRequest(.get, "api/v1/entries", id.text), as: EntryBody.self)
        guard entry.id == id.text else { throw CommandFailure(.failed, "The node gave another entry than asked for.") }
        return entry
    }

    /// An entry and, where the path names one, its field: `ENTRY` or `ENTRY/FIELD`.
    ///
    /// Titles and labels may contain slashes: a whole title comes first, then the cut that leads to something.
    func target(_ path: String) async throws -> (entry: EntryBody, field: FieldBody?) {
        let cuts = Self.cuts(of: path)
        if cuts.isEmpty { return (try await entry(path), nil) }
        if let cut = cuts.first(where: { EntryID(text: $0.entry) != nil }), cuts.count == 1 {
            let entry = try await entry(cut.entry)
            return (entry, try Self.field(cut.field, of: entry))
        }
        let entries = try await all()
        let whole = Self.matches(path, in: entries)
        if !whole.isEmpty { return (try Self.only(whole, path, "entry"), nil) }
        for cut in cuts {
            let found = Self.matches(cut.entry, in: entries)
            if found.isEmpty { continue }
            let entry = try Self.only(found, cut.entry, "entry")
            return (entry, try Self.field(cut.field, of: entry))
        }
        throw CommandFailure(.notFound, "There is no entry \"\(path.printable)\".", hint: "clavitor ls")
    }

    /// The field of an `ENTRY/FIELD` path.
    func fieldTarget(_ path: String) async throws -> (entry: EntryBody, field: FieldBody) {
        let target = try await target(path)
        guard let field = target.field else {
            throw CommandFailure(
                .usage, "\"\(path.printable)\" names an entry; a field is meant.",
                hint: "ENTRY/FIELD, one of: \(target.entry.fields.map(\.label.printable).joined(separator: ", "))")
        }
        return (target.entry, field)
    }

    /// Where a path can be cut, the last slash first.
    static func cuts(of path: String) -> [(entry: String, field: String)] {
        path.indices.reversed().compactMap { index in
            let field = path[path.index(after: index)...]
            guard path[index] == "/", index != path.startIndex, !field.isEmpty else { return nil }
            return (String(path[..<index]), String(field))
        }
    }

    static func matches(_ name: String, in entries: [EntryBody]) -> [EntryBody] {
        let byID = entries.filter { $0.id == name }
        return byID.isEmpty ? entries.filter { $0.title.lowercased() == name.lowercased() } : byID
    }

    static func field(_ name: String, of entry: EntryBody) throws -> FieldBody {
        let fields = fields(name, of: entry)
        guard let field = fields.first else {
            throw CommandFailure(
                .notFound, "\"\(entry.title.printable)\" has no field \"\(name.printable)\".",
                hint: "It has: \(entry.fields.map(\.label.printable).joined(separator: ", "))")
        }
        guard fields.count == 1 else {
            let list = fields.map { "  \($0.id)  \($0.label.printable)" }.joined(separator: "\n")
            throw CommandFailure(
                .conflict, "\"\(entry.title.printable)\" has several fields \"\(name.printable)\":\n\(list)",
                hint: "Name it by its id.")
        }
        return field
    }

    static func fields(_ name: String, of entry: EntryBody) -> [FieldBody] {
        let byID = entry.fields.filter { $0.id == name }
        return byID.isEmpty ? entry.fields.filter { $0.label.lowercased() == name.lowercased() } : byID
    }

    static func only(_ found: [EntryBody], _ name: String, _ what: String) throws -> EntryBody {
        guard let entry = found.first else {
            throw CommandFailure(.notFound, "There is no \(what) \"\(name.printable)\".", hint: "clavitor ls")
        }
        guard found.count == 1 else {
            let list = found.map { "  \($0.id)  \($0.title.printable)" }.joined(separator: "\n")
            throw CommandFailure(
                .conflict, "There are several entries \"\(name.printable)\":\n\(list)", hint: "Name it by its id.")
        }
        return entry
    }
}
