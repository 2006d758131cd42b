/// A change of `[break-glass]` in the inventory: one key from a few addresses, or none.
///
/// The emergency sshd of nix/break-glass.nix is in every system and runs in none: it is started on a node, or at the
/// provider's console.
package enum BreakGlassEdit: Equatable, Sendable {
    case enable(sshKey: String, from: [String])
    case disable

    /// - Throws: `BreakGlassError`.
    package init(sshKey: String, from: [String]) throws(BreakGlassError) {
        guard InventoryForms.isBreakGlassKey(sshKey) else { throw .notAKey }
        guard !from.isEmpty else { throw .notAnAddress("") }
        for address in from where !InventoryForms.isIPv4(address) { throw .notAnAddress(address) }
        // Without the comment, which names a person.
        self = .enable(sshKey: sshKey.split(separator: " ").prefix(2).joined(separator: " "), from: from)
    }

    private var values: (sshKey: String, from: [String]) {
        switch self {
        case .enable(let sshKey, let from): (sshKey, from)
        case .disable: ("", [])
        }
    }

    /// The inventory with the edit made; every other byte stays.
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

    /// What is to be done, in order, for people.
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

/// When break-glass was last used on a node: what nobody tries does not work on the day it is needed.
package struct BreakGlassTests: Codable, Equatable, Sendable {
    /// Unix seconds of the last successful test, by node.
    package var passed: [String: Int64]

    package init(passed: [String: Int64] = [:]) { self.passed = passed }

    /// Nodes whose last test is older than `days`, or that have had none.
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
            "This is no public key of OpenSSH's: give the line of a file like id_ed25519.pub, ssh-ed25519 and all."
        case .notAnAddress(let text):
            "\"\(text)\" is not an IPv4 address. Name those that may connect, such as 192.0.2.7; names are not resolved."
        case .notWritten:
            """
            The table [break-glass] is written in a way that this program does not edit. Write ssh-key = "" and from = [] \
            below it, each in a line of its own.
            """
        }
    }
}
