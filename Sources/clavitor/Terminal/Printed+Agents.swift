import Console
import Wire

/// What agents look like on a terminal.
extension AgentBody {
    func printed(_ names: Names) -> String {
        var lines = [
            name.printable, "  id        \(id)", "  state     \(state)", "  verbs     \(verbs.joined(separator: ", "))",
            "  made      \(Moment.text(createdAt))", "  uses      \(uses)" + (maxUses.map { " of \($0)" } ?? ""),
        ]
        if let notBefore { lines.append("  from      \(Moment.text(notBefore))") }
        if let expiresAt { lines.append("  until     \(Moment.text(expiresAt))") }
        if let ratePerMinute { lines.append("  a minute  \(ratePerMinute)") }
        if !cidr.isEmpty { lines.append("  networks  \(cidr.joined(separator: ", "))") }
        for grant in grants { lines.append("  grant     \(grant.printed(names))") }
        return lines.joined(separator: "\n")
    }
}

extension GrantBody {
    func printed(_ names: Names) -> String {
        if let tag {
            guard case .only(let labels)? = labels else { return "tag \(tag.printable)" }
            return "tag \(tag.printable)/\(labels.map(\.printable).joined(separator: ", "))"
        }
        guard case .only(let fields)? = fields else { return names.place(entry, nil).printable + "/*" }
        return fields.map { names.place(entry, $0).printable }.joined(separator: ", ")
    }
}

extension AgentTokenBody {
    /// For a token that could not be shown.
    static func another(_ agent: AgentBody) -> String {
        "The agent is made. Give it another token: clavitor agent rotate \(agent.id)"
    }

    func printed(_ first: String) -> String {
        """
        \(first) Its token, shown this once:

            \(token)

        Put it into a file that only the program can read, and name that: CLAVITOR_TOKEN_FILE=PATH clavitor get …
        """
    }
}

extension DisclosuresBody {
    func printed(_ names: Names) -> String {
        var read = Table("did read", "version", "times", "last")
        for field in didRead {
            read.add(
                names.place(field.entry, field.field), "\(field.version)",
                "\(field.count)" + (field.codes.flatMap { $0 > 0 ? ", and \($0) codes" : nil } ?? ""),
                Moment.text(field.lastAt))
        }
        var readable = Table("can read")
        for field in canRead { readable.add(names.place(field.entry, field.field)) }
        return (readable.isEmpty ? "It can read nothing." : readable.text) + "\n\n"
            + (read.isEmpty ? "It has read nothing." : read.text)
            + (isComplete
                ? "" : "\n\nThis list is not complete: some rows could not be read. Tell the node's operator.")
    }
}
