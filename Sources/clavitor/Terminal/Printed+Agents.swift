import Console
import Wire

// Terminal output of agents.

extension AgentBody {
    func printed(_ names: Names) -> String {
        var lines = [
            name.printable, "  id        \(id)", "  state     \(state)", "  verbs     \(verbs.joined(separator: ", "))",
            "  created   \(Timestamp.text(createdAt))", "  uses      \(uses)" + (maxUses.map { " of \($0)" } ?? ""),
        ]
        if let notBefore { lines.append("  from      \(Timestamp.text(notBefore))") }
        if let expiresAt { lines.append("  until     \(Timestamp.text(expiresAt))") }
        if let ratePerMinute { lines.append("  per min   \(ratePerMinute)") }
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
    /// The error text when the token could not be written.
    static func another(_ agent: AgentBody) -> String {
        "The agent was created. Get another token: clavitor agent rotate \(agent.id)"
    }

    func printed(_ first: String) -> String {
        """
        \(first) Its token, which is shown only once:

            \(token)

        Store it in a file that only the program can read, and set CLAVITOR_TOKEN_FILE=PATH.
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
                Timestamp.text(field.lastAt))
        }
        var readable = Table("can read")
        for field in canRead { readable.add(names.place(field.entry, field.field)) }
        return (readable.isEmpty ? "It cannot read any field." : readable.text) + "\n\n"
            + (read.isEmpty ? "It has not read any field." : read.text)
            + (isComplete
                ? "" : "\n\nThe list is incomplete: some rows could not be read. Inform the node's operator.")
    }
}
