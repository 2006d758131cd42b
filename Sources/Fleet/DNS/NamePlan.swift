/// One name whose addresses are to change, all at once.
package struct NameChange: Equatable, Sendable {
    package var name: String
    /// Nil: nothing stands there.
    package var before: RecordSet?
    /// Never without an address.
    package var after: RecordSet

    package init(name: String, before: RecordSet?, after: RecordSet) {
        self.name = name
        self.before = before
        self.after = after
    }

    package var added: Set<HostAddress> { after.addresses.subtracting(before?.addresses ?? []) }
    package var removed: Set<HostAddress> { (before?.addresses ?? []).subtracting(after.addresses) }
}

/// What has to be done so that the zone is as it should be. Pure data: `dns plan` prints it, a provider performs it.
///
/// Names that the inventory does not have are left alone: they may be anybody's.
package struct NamePlan: Equatable, Sendable {
    package let changes: [NameChange]
    private let nodes: [HostAddress: String]

    /// - Parameters:
    ///   - wanted: What should stand.
    ///   - present: What stands.
    ///   - names: Other names stay as they are. Nil: all that are wanted.
    ///   - keepingMembers: Whoever is a node stays in the nearest name, and who is not in it stays out: a watch may run
    ///     elsewhere, and knows better.
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

    /// A line for each record, as it will be done.
    package var lines: [String] {
        changes.flatMap { change in
            let removed = change.removed.sorted().map { line("-", change.name, change.before?.ttl ?? 0, $0) }
            let added = change.added.sorted().map { line("+", change.name, change.after.ttl, $0) }
            var lifetime: [String] = []
            if let before = change.before, before.ttl != change.after.ttl {
                lifetime = ["~ \(change.name) ttl \(before.ttl) -> \(change.after.ttl)"]
            }
            return lifetime + removed + added
        }
    }

    private func line(_ sign: String, _ name: String, _ ttl: Int, _ address: HostAddress) -> String {
        "\(sign) \(name) \(ttl) \(address.recordType) \(address)"
            + (nodes[address].map { "  (\($0))" } ?? "  (no node of the inventory)")
    }
}

/// Who keeps the names.
package protocol NameProvider: Sendable {
    /// What stands under these names; a name without addresses is missing.
    func present(_ names: [String]) async throws -> [String: RecordSet]
    /// Makes all changes. Doing the same again changes nothing.
    func apply(_ changes: [NameChange]) async throws
    /// What a person has to do besides, in sentences.
    func remarks() async throws -> [String]
}

extension NameProvider {
    package func remarks() async throws -> [String] { [] }
}
