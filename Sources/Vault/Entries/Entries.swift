package import VaultFormat

/// Operations on a vault's entries, for its owner and its agents.
package struct Entries: Sendable {
    let unit: UnitOfWork
    let keys: NodeKeys
    let quotas: Quotas
    let rates: AgentRates

    var store: any VaultStore { unit.store }
    /// The scheduler of long work.
    package var work: WorkQueue { unit.work }
    var operations: OperationBudget { unit.operations }
    func now() -> Int64 { unit.now() }

    package init(unit: UnitOfWork, keys: NodeKeys, quotas: Quotas, rates: AgentRates) {
        self.unit = unit
        self.keys = keys
        self.quotas = quotas
        self.rates = rates
    }

    // MARK: Reading

    /// One entry's metadata.
    package func view(_ id: EntryID, as principal: Principal) async throws -> EntryView {
        try await work.run(as: principal, in: store) { try await openEntry(id, as: principal).view }
    }

    /// Lists entries' metadata in the order of their creation.
    ///
    /// - Returns: The views and the position of the next page; nil at the end.
    package func list(
        _ state: EntryState = .active, after order: Int64 = 0, limit: Int, as principal: Principal
    ) async throws -> (entries: [EntryView], next: Int64?) {
        try principal.authorize(state.listing, at: now())
        return try await work.run(as: principal, in: store) {
            try await find(after: order, limit: limit, as: principal, among: { _ in true }) { order, limit in
                try await store.entries(
                    in: principal.vault, for: Reader(principal), state: state, after: order, limit: limit)
            }
        }
    }

    /// Maximum bytes that one request decrypts.
    private static let mostLookedThrough = 4 << 20
    /// Minimum rows per query, because each query searches the index again.
    private static let rowsAtATime = 200

    /// Decrypts entries after `order` until `limit` match, a page's bytes are reached, or the limit of decrypted bytes is reached.
    ///
    /// - Returns: The views and the position of the next page; nil at the end.
    func find(
        after order: Int64, limit: Int, as principal: Principal, among matches: (EntryView) -> Bool,
        next: (Int64, PageLimit) async throws -> Page<StoredEntry>
    ) async throws -> (entries: [EntryView], next: Int64?) {
        let most = PageLimit(rows: limit)
        var (found, bytes, read, order): ([EntryView], Int, Int, Int64) = ([], 0, 0, order)
        while true {
            let page = try await next(order, PageLimit(rows: max(limit, Self.rowsAtATime), bytes: most.bytes))
            for stored in page.items {
                try Task.checkCancellation()
                let open = try OpenEntry(stored, by: principal, in: self)
                order = stored.row.order
                let view = open.view
                read += open.byteCount
                if matches(view) {
                    found.append(view)
                    bytes += max(open.byteCount, view.answerByteCount)
                }
                try await WorkQueue.yieldIfNeeded()
                if found.count == limit || bytes >= most.bytes || read >= Self.mostLookedThrough {
                    return (found, order)
                }
            }
            if !page.hasMore { return (found, nil) }
        }
    }

    /// Lists an entry's versions with time, author and changed fields, newest first.
    package func versions(of id: EntryID, as principal: Principal) async throws -> [EntryVersion] {
        try principal.authorize(.listVersions, at: now())
        let history = try await work.run(as: principal, in: store) {
            // An agent's record has a history too, but is not an entry.
            guard try store.entryRow(id, in: principal.vault) != nil else { throw VaultError.noSuchEntry }
            return try await store.history(of: id, in: principal.vault)
        }
        var versions: [Int: EntryVersion] = [:]
        for row in history {
            let number = row.place.version
            var version = versions[number] ?? EntryVersion(version: number, at: row.at, by: row.by, fields: [])
            let field = row.place.field
            if !field.isReserved, !version.fields.contains(field) { version.fields.append(field) }
            versions[number] = version
        }
        return versions.values.sorted { $0.version > $1.version }
    }

    func openEntry(_ id: EntryID, as principal: Principal) async throws -> OpenEntry {
        guard let stored = try await store.entry(id, in: principal.vault, for: Reader(principal)) else {
            throw VaultError.noSuchEntry
        }
        try principal.authorize(.viewEntry, on: .entry(stored.row.state), at: now())
        return try OpenEntry(stored, by: principal, in: self)
    }
}

extension EntryState {
    fileprivate var listing: Action {
        switch self {
        case .active: .listEntries
        case .trashed: .listTrash
        case .deposit: .listDeposits
        }
    }
}
