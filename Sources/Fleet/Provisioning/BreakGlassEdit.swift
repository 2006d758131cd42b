/// A change of `[break-glass]` in the inventory: enables access for one key from some addresses, or disables it.
///
/// The emergency sshd of nix/break-glass.nix is in every system and not started by default: it is started on a node, or at
/// the provider's console.
package enum BreakGlassEdit: Equatable, Sendable {
    case enable(sshKey: String, from: [String])
    case disable

    /// - Throws: `BreakGlassError`.
    package init(sshKey: String, from: [String]) throws(BreakGlassError) {
        guard InventoryForms.isBreakGlassKey(sshKey) else { throw .notAKey }
        guard !from.isEmpty else { throw .notAnAddress("") }
        for address in from where !InventoryForms.isIPv4(address) { throw .notAnAddress(address) }
        // Without the comment, which may be personal data.
        self = .enable(sshKey: sshKey.split(separator: " ").prefix(2).joined(separator: " "), from: from)
    }

    private var values: (sshKey: String, from: [String]) {
        switch self {
        case .enable(let sshKey, let from): (sshKey, from)
        case .disable: ("", [])
        }
    }

    /// The edited inventory; all other text stays unchanged.
    package func edited(_ text: InventoryText) throws -> InventoryText {
        var expected = try Inventory(toml: text.text)
        (expected.breakGlass.sshKey, expected.breakGlass.from) = values
        var lines = TOMLLines(text.text)
        guard let table = lines.table("break-glass"),
            lines.replaceValue(of: "ssh-key", in: table, with: TOMLLines.quoted(values.sshKey)),
            lines.replaceValue(of: "from", in: table, with: TOMLLines.quoted(values.from))
        else { throw BreakGlassError.notWritten }
        let edited = InventoryText(lines.text)
        guard let made = try? Inventory(toml: edited.text), made == expected else { throw BreakGlassError.notWritten }
        return edited
    }

    /// The steps of the edit, in order, as sentences.
    package func plan(_ present: Inventory.BreakGlass, nodes: Int) -> [String] {
        switch self {
        case .enable(let sshKey, let from):
            [
                "set [break-glass] ssh-key = \"\(sshKey)\""
                    + (["", sshKey].contains(present.sshKey) ? "" : " (another key was there)"),
                "set [break-glass] from = \(TOMLLines.quoted(from))",
                "then: clavitor-soc deploy, to all \(nodes) nodes; the emergency sshd is in their systems, and stopped",
                "in an emergency: systemctl start break-glass on the node, or systemd.wants=break-glass.service in GRUB",
            ]
        case .disable:
            [
                "set [break-glass] ssh-key = \"\" and from = []",
                "then: clavitor-soc deploy, to all \(nodes) nodes; the emergency sshd is gone",
            ]
        }
    }
}

/// When break-glass access was last tested on each node.
package struct BreakGlassTestRecord: Codable, Equatable, Sendable {
    /// Unix seconds of the last successful test, by node.
    package var passed: [String: Int64]

    package init(passed: [String: Int64] = [:]) { self.passed = passed }

    /// Nodes whose last test is more than `days` ago, or that were never tested.
    package func due(_ nodes: [Node], after days: Int, now: Int64) -> [String] {
        nodes.map(\.name).filter { (passed[$0] ?? .min / 2) < now - Int64(days) * 86_400 }
    }
}

package enum BreakGlassError: Error, Equatable, Sendable, CustomStringConvertible {
    case notAKey
    case notAnAddress(String)
    case notWritten

    package var description: String {
        switch self {
        case .notAKey:
            "The key must be an OpenSSH public key: the whole line of a file like id_ed25519.pub, including ssh-ed25519."
        case .notAnAddress(let text):
            "\"\(text)\" must be an IPv4 address such as 192.0.2.7; names are not resolved."
        case .notWritten:
            """
            The table [break-glass] has a form that this program cannot edit. Write ssh-key = "" and from = [] below it, on \
            separate lines.
            """
        }
    }
}
