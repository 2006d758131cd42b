package import DNSUpdate

/// The provider for a zone with dynamic updates (RFC 2136).
package struct UpdatedZone: NameProvider {
    private let updater: DNSUpdater

    private static let families = [DNSUpdater.RecordType.a, .aaaa]

    package init(_ updater: DNSUpdater) {
        self.updater = updater
    }

    package func present(_ names: [String]) async throws -> [String: RecordSet] {
        var sets: [String: RecordSet] = [:]
        for name in names {
            for type in Self.families {
                guard let present = try await updater.addresses(of: try DNSName(name), type) else { continue }
                let some = RecordSet(
                    addresses: Set(present.addresses.compactMap { HostAddress(bytes: $0) }), ttl: Int(present.ttl))
                sets[name] = sets[name].map { $0.union(some) } ?? some
            }
        }
        return sets
    }

    /// Sends one message, which the server applies atomically, and replaces whole record sets, so that the result does not
    /// depend on what was read before.
    package func apply(_ changes: [NameChange]) async throws {
        guard !changes.isEmpty else { return }
        var updates: [DNSUpdater.Change] = []
        for change in changes {
            let name = try DNSName(change.name)
            updates += Self.families.map { .removeSet(name, $0) }
            for record in change.after.addresses.sorted().compactMap({ DNSUpdater.Record(address: $0.bytes) }) {
                updates.append(.add(name, ttl: UInt32(change.after.ttl), record))
            }
        }
        try await updater.perform(updates)
    }
}
