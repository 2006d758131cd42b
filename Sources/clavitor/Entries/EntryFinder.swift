import Console
import VaultFormat
import Wire

/// Finds entries and fields by id, or by title and label, ignoring case.
struct EntryFinder {
    let signedIn: SignedIn

    /// All entries visible to the principal.
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
    func entry(_ argument: String) async throws -> EntryBody {
        let name = NameArgument.name(argument)
        if let id = EntryID(text: name) {
            do {
                return try await entry(id)
            } catch let problem as Problem where problem.code == .noSuchEntry {
                // A title may have the form of an id.
            }
        }
        return try Self.only(try await titled([name]), name, "entry")
    }

    /// Every entry with one of these titles.
    func titled(_ titles: Set<String>) async throws -> [EntryBody] {
        var entries: [EntryBody] = []
        var rest = titles.sorted()[...]
        while !rest.isEmpty {
            var bytes = 0
            let part = rest.prefix(Self.mostTitles).prefix { title in
                bytes += title.utf8.count
                return bytes <= Self.mostBytes
            }
            let titles = part.isEmpty ? rest.prefix(1) : part
            rest = rest.dropFirst(titles.count)
            var query = SearchBody(titles: Array(titles), limit: 100)
            repeat {
                let page = try await signedIn.send(
                    NodeRequest(.post, "api/v1/entries/search", body: query), as: EntryListBody.self)
                entries += page.entries
                query.cursor = page.next
            } while query.cursor != nil
        }
        return entries
    }

    /// In one request, whose escapes make it longer.
    private static let mostTitles = 64
    private static let mostBytes = 4_000

    private func entry(_ id: EntryID) async throws -> EntryBody {
        let entry = try await signedIn.send(NodeRequest(.get, "api/v1/entries", id.text), as: EntryBody.self)
        guard entry.id == id.text else { throw CommandFailure(.failed, "The node sent another entry than requested.") }
        return entry
    }

    /// Resolves `ENTRY` or `ENTRY/FIELD`.
    ///
    /// Titles and labels may contain slashes.
    func target(_ argument: String) async throws -> (entry: EntryBody, field: FieldBody?) {
        try await targets([argument])[0]
    }

    /// The same for several paths, with one look-up of all titles.
    func targets(_ arguments: [String]) async throws -> [(entry: EntryBody, field: FieldBody?)] {
        let paths = arguments.map { path in
            let path = NameArgument.name(path)
            return (path: path, cuts: Self.cuts(of: path))
        }
        let byID = paths.map { $0.cuts.count == 1 && EntryID(text: $0.cuts[0].entry) != nil }
        let titles = zip(paths, byID).filter { !$0.0.cuts.isEmpty && !$0.1 }
            .flatMap { [$0.0.path] + $0.0.cuts.map(\.entry) }
        let entries = titles.isEmpty ? [] : try await candidates(Set(titles))
        var targets: [(entry: EntryBody, field: FieldBody?)] = []
        for ((path, cuts), isByID) in zip(paths, byID) {
            if cuts.isEmpty {
                targets.append((try await entry(path), nil))
            } else if isByID {
                let entry = try await entry(cuts[0].entry)
                targets.append((entry, try Self.field(cuts[0].field, of: entry)))
            } else {
                targets.append(try Self.target(path, cuts, in: entries))
            }
        }
        return targets
    }

    /// Entries with these titles, or ids.
    private func candidates(_ names: Set<String>) async throws -> [EntryBody] {
        var entries = try await titled(names)
        for name in names where entries.allSatisfy({ $0.id != name }) {
            guard let id = EntryID(text: name) else { continue }
            do {
                entries.append(try await entry(id))
            } catch let problem as Problem where problem.code == .noSuchEntry {
                // A title may have the form of an id.
            }
        }
        return entries
    }

    /// Considers every interpretation of a path: a deposited entry with a slash in its title must not shadow another entry's field.
    ///
    /// - Throws: `CommandFailure` with the ids if the path is ambiguous.
    static func target(
        _ path: String, _ cuts: [(entry: String, field: String)], in entries: [EntryBody]
    ) throws -> (entry: EntryBody, field: FieldBody?) {
        var readings: [(entry: EntryBody, field: FieldBody?)] = matches(path, in: entries).map { ($0, nil) }
        var named: [(entry: EntryBody, label: String)] = []
        for cut in cuts {
            for entry in matches(cut.entry, in: entries) {
                named.append((entry, cut.field))
                readings += fields(cut.field, of: entry).map { (entry, $0) }
            }
        }
        guard let only = readings.first else {
            // "No such field" is more helpful than "no such entry".
            if let (entry, label) = named.first { return (entry, try field(label, of: entry)) }
            throw CommandFailure(.notFound, "There is no entry \"\(path.printable)\".", hint: "clavitor ls")
        }
        guard readings.count == 1 else {
            let list = readings.map { reading in
                "  \(reading.entry.id)\(reading.field.map { "/\($0.id)" } ?? "")  \(reading.entry.title.printable)"
                    + (reading.field.map { ", field \($0.label.printable)" } ?? "")
            }
            throw CommandFailure(
                .conflict, "\"\(path.printable)\" is ambiguous:\n\(list.joined(separator: "\n"))",
                hint: "Use the ids.")
        }
        return only
    }

    /// The field of an `ENTRY/FIELD` path.
    func fieldTarget(_ path: String) async throws -> (entry: EntryBody, field: FieldBody) {
        try await fieldTargets([path])[0]
    }

    /// The same for several paths.
    func fieldTargets(_ paths: [String]) async throws -> [(entry: EntryBody, field: FieldBody)] {
        try zip(paths, try await targets(paths)).map { path, target in try Self.fieldTarget(path, target) }
    }

    private static func fieldTarget(
        _ path: String, _ target: (entry: EntryBody, field: FieldBody?)
    ) throws -> (entry: EntryBody, field: FieldBody) {
        guard let field = target.field else {
            throw CommandFailure(
                .usage, "\"\(path.printable)\" is an entry; a field is required.",
                hint: "ENTRY/FIELD, one of: \(target.entry.fields.map(\.label.printable).joined(separator: ", "))")
        }
        return (target.entry, field)
    }

    /// The positions at which a path can be split, the last slash first.
    static func cuts(of path: String) -> [(entry: String, field: String)] {
        path.indices.reversed().compactMap { index in
            let field = path[path.index(after: index)...]
            guard path[index] == "/", index != path.startIndex, !field.isEmpty else { return nil }
            return (String(path[..<index]), String(field))
        }
    }

    static func matches(_ argument: String, in entries: [EntryBody]) -> [EntryBody] {
        let name = NameArgument.name(argument)
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
                hint: "Use the id.")
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
                .conflict, "There are several entries \"\(name.printable)\":\n\(list)", hint: "Use the id.")
        }
        return entry
    }
}
