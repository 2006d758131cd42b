import Console
import Wire

/// Converts `--grant ENTRY/FIELD` and `--grant-tag TAG[/LABEL]` into grants.
struct GrantInput {
    let signedIn: SignedIn

    /// The grants, one per entry and tag.
    func grants(entries: [String], tags: [String]) async throws -> [GrantBody] {
        var byEntry: [(id: String, fields: [String]?)] = []
        for path in entries {
            let (entry, field) = try await target(path)
            let index = byEntry.firstIndex { $0.id == entry.id } ?? byEntry.endIndex
            if index == byEntry.endIndex { byEntry.append((entry.id, [])) }
            byEntry[index].fields = field.flatMap { field in byEntry[index].fields.map { $0 + [field.id] } }
        }
        return byEntry.map { GrantBody(entry: $0.id, fields: $0.fields.map(GrantBody.Selection.only) ?? .all) }
            + (try Self.tagGrants(tags))
    }

    /// `ENTRY/*` and `ENTRY` mean all fields.
    private func target(_ path: String) async throws -> (entry: EntryBody, field: FieldBody?) {
        let finder = EntryFinder(signedIn: signedIn)
        if path.hasSuffix("/*") { return (try await finder.entry(String(path.dropLast(2))), nil) }
        let target = try await finder.target(path)
        if let field = target.field, field.tier == 2 {
            throw CommandFailure(
                .usage, "\"\(field.label.printable)\" is L2, which cannot be granted: the node has no key for it.",
                hint: "To move it to L1: clavitor edit --to-l1")
        }
        return target
    }

    /// Labels are not looked up, because a grant by tag covers future entries too.
    static func tagGrants(_ texts: [String]) throws -> [GrantBody] {
        var byTag: [(tag: String, labels: [String]?)] = []
        for text in texts {
            let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard !parts[0].isEmpty, parts.count == 1 || !parts[1].isEmpty else {
                throw CommandFailure(
                    .usage, "\"\(text)\" is not a grant.", hint: "--grant-tag TAG or --grant-tag TAG/LABEL")
            }
            let label = parts.count == 2 && parts[1] != "*" ? parts[1] : nil
            let index = byTag.firstIndex { $0.tag.lowercased() == parts[0].lowercased() } ?? byTag.endIndex
            if index == byTag.endIndex { byTag.append((parts[0], [])) }
            byTag[index].labels = label.flatMap { label in byTag[index].labels.map { $0 + [label] } }
        }
        return byTag.map { GrantBody(tag: $0.tag, labels: $0.labels.map(GrantBody.Selection.only) ?? .all) }
    }
}
