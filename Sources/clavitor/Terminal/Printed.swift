import Console
import Wire

// Terminal output of entries.

extension EntryBody {
    var printed: String {
        var lines = [
            title.printable, "  id       \(id)", "  type     \(type.printable)", "  version  \(version)",
            "  changed  \(Timestamp.text(updatedAt))",
        ]
        if let deletedAt { lines.append("  deleted  \(Timestamp.text(deletedAt))") }
        if let name = depositorName ?? depositor { lines.append("  from     \(name.printable)") }
        for url in urls ?? [] { lines.append("  url      \(url.printable)") }
        if let tags, !tags.isEmpty { lines.append("  tags     \(tags.map(\.printable).joined(separator: ", "))") }
        if let notes, !notes.isEmpty {
            lines.append(
                "  notes    "
                    + notes.split(separator: "\n", omittingEmptySubsequences: false)
                    .map { String($0).printable }.joined(separator: "\n           "))
        }
        var table = Table("field", "kind", "tier", "version", "id")
        for field in fields { table.add(field.label, field.kind, "L\(field.tier)", "\(field.version)", field.id) }
        if !table.isEmpty { lines += ["", table.text] }
        return lines.joined(separator: "\n")
    }
}

extension [EntryBody] {
    var printed: String {
        var table = Table("title", "type", "fields", "tags", "changed", "id")
        for entry in sorted(by: { $0.title.lowercased() < $1.title.lowercased() }) {
            table.add(
                entry.title, entry.type, entry.fields.map(\.label).joined(separator: ", "),
                (entry.tags ?? []).joined(separator: ", "), Timestamp.text(entry.updatedAt), entry.id)
        }
        return table.isEmpty ? "No entries." : table.text
    }
}
