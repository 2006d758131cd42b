package import VaultFormat

/// The audit log of one vault, for its owner.
package struct AuditTrail: Sendable {
    private let unit: UnitOfWork

    private var store: any VaultStore { unit.store }
    private var sealer: AuditSealer { unit.audit }
    private var work: WorkQueue { unit.work }

    package init(unit: UnitOfWork) {
        self.unit = unit
    }

    package struct Line: Sendable {
        package let position: AuditPosition
        /// Unix seconds.
        package let at: Int64
        package let event: AuditEvent
    }

    /// Lists lines of the principal's vault, newest first.
    ///
    /// `position`: Only lines before this one.
    package func lines(before position: AuditPosition?, limit: Int, as principal: Principal) async throws -> Page<Line>
    {
        try principal.authorize(.readAudit, at: unit.now())
        return try await work.run(as: principal, in: store) {
            let page = try await store.auditLines(
                of: principal.vault, before: position, limit: PageLimit(rows: limit))
            return Page(
                items: try page.items.compactMap { stored in
                    guard let event = try sealer.open(stored.line.line) else { return nil }
                    let position = AuditPosition(sequence: stored.line.sequence, number: stored.number)
                    return Line(position: position, at: stored.line.line.time, event: event)
                },
                hasMore: page.hasMore)
        }
    }

    /// The fields that an agent can read and the values that it has read: what to change when its token leaks.
    package struct Disclosures: Sendable {
        package var canRead: [FieldPlace]
        package var didRead: [Read]
        /// False when rows or lines could not be read, so that something may be missing.
        package var isComplete: Bool

        package struct Read: Sendable {
            package let entry: String
            package let field: String
            package let version: Int
            package var lastAt: Int64
            /// Number of reads of the value.
            package var count: Int
            /// Number of reads of a code generated from it.
            package var codes: Int
        }
    }

    /// Reports what an agent can read now, and what it has read with this and its previous tokens.
    package func disclosures(of agent: PrincipalID, as principal: Principal) async throws -> Disclosures {
        try principal.authorize(.viewDisclosures, at: unit.now())
        return try await work.run(as: principal, in: store) {
            try await search(
                .init(id: agent, places: try await store.readable(by: agent, in: principal.vault)), as: principal)
        }
    }

    /// The same for an agent that was just revoked or rotated. Runs after that commit, so that no read is missing.
    package func disclosures(of ended: Agents.Ended, as principal: Principal) async throws -> Disclosures {
        try principal.authorize(.viewDisclosures, at: unit.now())
        do {
            return try await work.run(as: principal, in: store) { try await search(ended, as: principal) }
        } catch {
            // The revocation is committed, so a partial report is better than an error.
            return Disclosures(canRead: ended.places ?? [], didRead: [], isComplete: false)
        }
    }

    /// Runs in the work queue, so that one report per vault is in memory at a time.
    private func search(_ agent: Agents.Ended, as principal: Principal) async throws -> Disclosures {
        var search = ReadSearch(agent: agent.id)
        var before: AuditPosition?
        repeat {
            (search, before) = try await searched(search, before: before, of: principal.vault)
            try await WorkQueue.yieldIfNeeded()
        } while before != nil && !Task.isCancelled
        return Disclosures(
            canRead: agent.places ?? [],
            didRead: search.found.values.sorted { ($0.lastAt, $0.entry, $0.field) > ($1.lastAt, $1.entry, $1.field) },
            isComplete: agent.places != nil && search.isComplete && before == nil)
    }

    private func searched(
        _ search: ReadSearch, before position: AuditPosition?, of vault: VaultID
    ) async throws -> (ReadSearch, AuditPosition?) {
        var search = search
        let page = try await store.auditLines(of: vault, before: position, limit: PageLimit(rows: 1_000))
        // A line that cannot be decrypted must not hide the others.
        for stored in page.items { search.add(stored.line, try? sealer.open(stored.line.line)) }
        let last = page.hasMore ? page.items.last : nil
        return (search, last.map { AuditPosition(sequence: $0.line.sequence, number: $0.number) })
    }
}

/// Collects an agent's reads from its vault's log, newest line first.
private struct ReadSearch {
    private(set) var found: [String: AuditTrail.Disclosures.Read] = [:]
    var isComplete = true
    /// Maximum values in a report, most recently read first: about 3 MB of memory and of the response.
    private static let mostValues = 10_000
    private let agent: String

    init(agent: PrincipalID) {
        self.agent = agent.text
    }

    mutating func add(_ stored: StoredAuditLine, _ event: AuditEvent?) {
        guard let event else {
            isComplete = false
            return
        }
        guard event.action == .valueRead || event.action == .codeRead, event.actor.id == agent,
            let entry = event.entry, let field = event.field, let version = event.version
        else { return }
        let key = "\(entry)/\(field)/\(version)"
        guard found[key] != nil || found.count < Self.mostValues else {
            isComplete = false
            return
        }
        var read =
            found[key]
            ?? .init(entry: entry, field: field, version: version, lastAt: stored.line.time, count: 0, codes: 0)
        if event.action == .codeRead { read.codes += 1 } else { read.count += 1 }
        found[key] = read
    }
}
