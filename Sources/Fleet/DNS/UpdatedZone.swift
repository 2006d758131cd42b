package import DNSUpdate

/// Names in a zone that is changed by RFC 2136.
package struct UpdatedZone: NameProvider {
    private let updater: DNSUpdater

    package init(_ updater: DNSUpdater) {
        self.updater = updater
    }

    package func present(_ names: [String]) async throws -> [String: RecordSet] {
        var sets: [String: RecordSet] = [:]
        for name in names {
            guard let present = try await updater.addresses(of: try DNSName(name)) else { continue }
            sets[name] = RecordSet(
                addresses: Set(present.addresses.map { IPv4Address(number: $0) }), ttl: Int(present.ttl))
        }
        return sets
    }

    /// In one message, so that the server does all of it or nothing; whole sets, so that what was read before does not
    /// matter.
    package func apply(_ changes: [NameChange]) async throws {
        guard !changes.isEmpty else { return }
        var updates: [DNSUpdater.Change] = []
        for change in changes {
            let name = try DNSName(change.name)
            updates.append(.removeSet(name, .a))
            for address in change.after.addresses.sorted() {
                updates.append(.add(name, ttl: UInt32(change.after.ttl), .a(address.number)))
            }
        }
        try await updater.perform(updates)
    }
}
