/// A change of the addresses of one name, applied atomically.
package struct NameChange: Equatable, Sendable {
    package var name: String
    /// Nil for a missing name.
    package var before: RecordSet?
    /// Has at least one address.
    package var after: RecordSet

    package init(name: String, before: RecordSet?, after: RecordSet) {
        self.name = name
        self.before = before
        self.after = after
    }

    package var added: Set<HostAddress> { after.addresses.subtracting(before?.addresses ?? []) }
    package var removed: Set<HostAddress> { (before?.addresses ?? []).subtracting(after.addresses) }
}

/// The difference between the zone and the wanted records. Pure data: `dns plan` prints it, a provider applies it.
///
/// Names that are not in the inventory are ignored.
package struct NamePlan: Equatable, Sendable {
    package let changes: [NameChange]
    private let nodes: [HostAddress: String]

    /// - Parameters:
    ///   - wanted: The records from the inventory.
    ///   - present: The records in the zone.
    ///   - names: The names to change. Nil: all that are wanted.
    ///   - keepingMembers: Keeps the set of nodes in the nearest name, because a watch may run elsewhere; only addresses
    ///     change.
    package init(
        wanted: Records, present: [String: RecordSet], names: Set<String>? = nil, keepingMembers: Bool = false
    ) {
        nodes = wanted.nodes
        changes = wanted.sets.keys.sorted().compactMap { name in
            guard names?.contains(name) ?? true, var after = wanted.sets[name] else { return nil }
            if keepingMembers, name == wanted.nearest, let standing = present[name] {
                let members = Set(standing.addresses.compactMap { wanted.nodes[$0] })
                    .intersection(wanted.members)
                let addresses = wanted.nodes.filter { members.contains($0.value) }.keys
                if !addresses.isEmpty { after.addresses = Set(addresses) }
            }
            return present[name] == after ? nil : NameChange(name: name, before: present[name], after: after)
        }
    }

    package var isEmpty: Bool { changes.isEmpty }

    /// One line per changed record.
    package var lines: [String] {
        changes.flatMap { change in
            let removed = change.removed.sorted().map { line("-", change.name, change.before?.ttl ?? 0, $0) }
            let added = change.added.sorted().map { line("+", change.name, change.after.ttl, $0) }
            var ttl: [String] = []
            if let before = change.before, before.ttl != change.after.ttl {
                ttl = ["~ \(change.name) ttl \(before.ttl) -> \(change.after.ttl)"]
            }
            return ttl + removed + added
        }
    }

    private func line(_ sign: String, _ name: String, _ ttl: Int, _ address: HostAddress) -> String {
        "\(sign) \(name) \(ttl) \(address.recordType) \(address)"
            + (nodes[address].map { "  (\($0))" } ?? "  (no node of the inventory)")
    }
}

/// A DNS provider that hosts the fleet's zone.
package protocol NameProvider: Sendable {
    /// The records of these names; a name without addresses is omitted.
    func present(_ names: [String]) async throws -> [String: RecordSet]
    /// Applies all changes. Idempotent.
    func apply(_ changes: [NameChange]) async throws
    /// Manual steps that remain for an operator, as sentences.
    func remarks() async throws -> [String]
}

extension NameProvider {
    package func remarks() async throws -> [String] { [] }
}
