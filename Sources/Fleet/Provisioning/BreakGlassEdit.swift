/// The emergency door of nix/break-glass.nix, as an edit of the inventory: one key from one address, or none.
///
/// The door itself is shut after a deploy too: it is a unit that nothing starts. It is opened on the node, or on the
/// provider's console.
package enum BreakGlassEdit: Equatable, Sendable {
    case enable(sshKey: String, from: String)
    case disable

    /// - Throws: `BreakGlassError`.
    package init(sshKey: String, from: String) throws(BreakGlassError) {
        guard InventoryForms.isBreakGlassKey(sshKey) else { throw .notAKey }
        guard InventoryForms.isIPv4(from) else { throw .notAnAddress(from) }
        // Without the comment, which names a person.
        self = .enable(sshKey: sshKey.split(separator: " ").prefix(2).joined(separator: " "), from: from)
    }

    private var values: (sshKey: String, from: String) {
        switch self {
        case .enable(let sshKey, let from): (sshKey, from)
        case .disable: ("", "")
        }
    }

    /// The inventory with the edit made; every other byte stays.
    package func edited(_ text: InventoryText) throws -> InventoryText {
        var expected = try Inventory(toml: text.text)
        (expected.breakGlass.sshKey, expected.breakGlass.from) = values
        var lines = text.text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard let header = lines.firstIndex(where: { $0.hasPrefix("[break-glass]") }) else {
            throw BreakGlassError.notWritten
        }
        for (key, value) in [("ssh-key", values.sshKey), ("from", values.from)] {
            let table = lines.indices.dropFirst(header + 1).prefix { !lines[$0].hasPrefix("[") }
            guard let index = table.first(where: { lines[$0].prefix { $0 != " " && $0 != "=" } == key }) else {
                throw BreakGlassError.notWritten
            }
            // Only a value in plain quotes is replaced; what follows it, a comment perhaps, stays.
            let parts = lines[index].split(separator: "\"", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3, !parts[1].contains("\\") else { throw BreakGlassError.notWritten }
            lines[index] = "\(parts[0])\(TOMLLines.quoted(value))\(parts[2])"
        }
        let edited = InventoryText(lines.joined(separator: "\n"))
        guard let made = try? Inventory(toml: edited.text), made == expected else { throw BreakGlassError.notWritten }
        return edited
    }

    /// What is to be done, in order, for people.
    package func plan(_ present: Inventory.BreakGlass, nodes: Int) -> [String] {
        switch self {
        case .enable(let sshKey, let from):
            [
                "set [break-glass] ssh-key = \"\(sshKey)\""
                    + (["", sshKey].contains(present.sshKey) ? "" : " (another key was there)"),
                "set [break-glass] from = \"\(from)\"",
                "then: clavitor-soc deploy, to all \(nodes) nodes; the door is there and stays shut",
                "in an emergency: systemctl start break-glass on the node, or systemd.wants=break-glass.service in GRUB",
            ]
        case .disable:
            [
                "set [break-glass] ssh-key = \"\" and from = \"\"",
                "then: clavitor-soc deploy, to all \(nodes) nodes; the door is gone",
            ]
        }
    }
}

/// Until when the door is meant to be there; it does not go away by itself.
package struct BreakGlassReminder: Codable, Equatable, Sendable {
    /// Unix seconds.
    package var until: Int64

    package init(until: Int64) { self.until = until }

    /// - Returns: What to say; nil while there is nothing to do.
    package func sentence(_ present: Inventory.BreakGlass, now: Int64) -> String? {
        guard !present.sshKey.isEmpty, now >= until else { return nil }
        let days = (now - until) / 86_400
        return """
            The break-glass key should have been removed \(days == 0 ? "today" : "\(days) days ago"). Remove it with \
            `clavitor-soc break-glass disable` and deploy.
            """
    }
}

package enum BreakGlassError: Error, Equatable, Sendable, CustomStringConvertible {
    case notAKey
    case notAnAddress(String)
    case notWritten

    package var description: String {
        switch self {
        case .notAKey:
            "This is no public key of OpenSSH's: give the line of a file like id_ed25519.pub, ssh-ed25519 and all."
        case .notAnAddress(let text): "\(text) is no IPv4 address. Give the one that may knock, such as 192.0.2.7."
        case .notWritten:
            """
            The table [break-glass] is written in a way that this program does not edit. Write ssh-key = "" and from = "" \
            below it, each in a line of its own.
            """
        }
    }
}
