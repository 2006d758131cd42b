/// The audit log of one vault, as its owner reads it.
package struct AuditTrail: Sendable {
    private let store: any VaultStore
    private let sealer: AuditSealer

    package init(store: any VaultStore, sealer: AuditSealer) {
        self.store = store
        self.sealer = sealer
    }

    package struct Line: Sendable {
        package let sequence: Int64
        /// Unix seconds.
        package let at: Int64
        package let event: AuditEvent
    }

    /// Lines of the caller's vault, newest first.
    ///
    /// `sequence`: Where to go on: lines before this one.
    package func lines(before sequence: Int64?, limit: Int, as caller: Caller) async throws -> [Line] {
        try caller.requireOwner()
        return try await store.auditLines(of: caller.vault, before: sequence, limit: limit).compactMap { stored in
            guard let event = try sealer.open(stored.line) else { return nil }
            return Line(sequence: stored.sequence, at: stored.line.time, event: event)
        }
    }

    /// What a holder can open now, and what it has read: the list of what to change when its token is lost.
    package struct Disclosures: Sendable {
        package var canRead: [FieldPlace]
        package var didRead: [Read]

        package struct Read: Sendable {
            package let entry: String
            package let field: String
            package let version: Int
            package var lastAt: Int64
            package var count: Int
        }
    }

    package func disclosures(of agent: HolderID, as caller: Caller) async throws -> Disclosures {
        try caller.requireOwner()
        let places = try await store.places(of: agent).filter { $0.tier == .l1 && $0.vault == caller.vault }
        var reads: [String: Disclosures.Read] = [:]
        var before: Int64?
        while true {
            let page = try await lines(before: before, limit: 1_000, as: caller)
            for line in page where line.event.action == .valueRead && line.event.actor.id == agent.text {
                guard let entry = line.event.entry, let field = line.event.field, let version = line.event.version
                else { continue }
                let key = "\(entry)/\(field)/\(version)"
                var read =
                    reads[key] ?? .init(entry: entry, field: field, version: version, lastAt: line.at, count: 0)
                read.count += 1
                reads[key] = read
            }
            guard let last = page.last else { break }
            before = last.sequence
        }
        return Disclosures(
            canRead: places.sorted { ($0.entry, $0.field) < ($1.entry, $1.field) },
            didRead: reads.values.sorted { ($0.lastAt, $0.entry, $0.field) > ($1.lastAt, $1.entry, $1.field) })
    }
}
