package import VaultFormat

/// The audit log of one vault, as its owner reads it.
package struct AuditTrail: Sendable {
    private let store: any VaultStore
    private let sealer: AuditSealer
    private let work: WorkQueue
    private let now: @Sendable () -> Int64

    package init(
        store: any VaultStore, sealer: AuditSealer, work: WorkQueue, now: @escaping @Sendable () -> Int64
    ) {
        self.store = store
        self.sealer = sealer
        self.work = work
        self.now = now
    }

    package struct Line: Sendable {
        package let position: AuditPosition
        /// Unix seconds.
        package let at: Int64
        package let event: AuditEvent
    }

    /// Lines of the principal's vault, newest first.
    ///
    /// `position`: Where to go on: lines before this one.
    package func lines(before position: AuditPosition?, limit: Int, as principal: Principal) async throws -> Page<Line>
    {
        try principal.authorize(.readAudit, at: now())
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

    /// What a holder can open now, and what it has read: the list of what to change when its token is lost.
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
            /// How often the value was given out.
            package var count: Int
            /// How often a code made from it was.
            package var codes: Int
        }
    }

    /// What an agent can read now, and what it and the tokens that it replaced have read.
    package func disclosures(of agent: HolderID, as principal: Principal) async throws -> Disclosures {
        try principal.authorize(.viewDisclosures, at: now())
        return try await work.run(as: principal, in: store) {
            try await search(.init(id: agent, places: try await store.readable(by: agent)), as: principal)
        }
    }

    /// The same of an agent that has just ended. Read after the commit that ended it, so that nothing comes later.
    package func disclosures(of ended: AgentRoster.Ended, as principal: Principal) async throws -> Disclosures {
        try principal.authorize(.viewDisclosures, at: now())
        do {
            return try await work.run(as: principal, in: store) { try await search(ended, as: principal) }
        } catch {
            // What could be read is worth more than an error after the agent's end.
            return Disclosures(canRead: ended.places ?? [], didRead: [], isComplete: false)
        }
    }

    /// Within a turn, so that one such report of a vault is in memory at a time.
    private func search(_ agent: AgentRoster.Ended, as principal: Principal) async throws -> Disclosures {
        var search = ReadSearch(agent: agent.id)
        var before: AuditPosition?
        repeat {
            (search, before) = try await searched(search, before: before, of: principal.vault)
            try await WorkQueue.breathe()
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
        // One line that does not open must not hide the others.
        for stored in page.items { search.add(stored.line, try? sealer.open(stored.line.line)) }
        let last = page.hasMore ? page.items.last : nil
        return (search, last.map { AuditPosition(sequence: $0.line.sequence, number: $0.number) })
    }
}

extension VaultStore {
    /// Every L1 field that a holder can open, read in pages.
    func readable(by holder: HolderID) async throws -> [FieldPlace] {
        var places: [FieldPlace] = []
        while true {
            let page = try await readable(by: holder, after: places.last, limit: 2_000)
            places += page
            guard page.count == 2_000 else { return places }
            try await WorkQueue.breathe()
        }
    }
}

/// Collects an agent's reads from its vault's log, newest line first.
private struct ReadSearch {
    private(set) var found: [String: AuditTrail.Disclosures.Read] = [:]
    var isComplete = true
    /// Different values of a report, the last read ones: some 3 MB of memory and of the answer.
    private static let mostValues = 10_000
    /// The agent and, once their rotation was met, the holders before it.
    private var holders: Set<String>

    init(agent: HolderID) {
        holders = [agent.text]
    }

    mutating func add(_ stored: StoredAuditLine, _ event: AuditEvent?) {
        guard let event else {
            isComplete = false
            return
        }
        if event.action == .agentRotate, let new = event.successor, holders.contains(new), let old = event.subject {
            holders.insert(old)
        }
        guard event.action == .valueRead || event.action == .codeRead, let actor = event.actor.id,
            holders.contains(actor),
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
