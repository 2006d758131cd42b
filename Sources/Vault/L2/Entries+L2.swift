package import VaultFormat

/// The keys of entries' L2 values. The node opens none of them: it checks numbers, headers, lengths and that nothing is missing.
extension Entries {
    /// The row that a write gives the entry; nil when it stays as it is.
    ///
    /// `present`: The entry's row before.
    /// `leavesL2`: Whether a field moves to tier L1, which its list must not name any more.
    func l2Row(
        of edit: EntryEdit, _ fields: [MergedField], _ row: EntryRow, present: L2EntryRow?, leavesL2: Bool
    ) async throws -> L2EntryRow? {
        let envelopes = fields.compactMap { field in
            if case .envelope(let box) = field.write { box } else { nil }
        }
        guard let l2 = edit.l2 else {
            guard envelopes.isEmpty, !leavesL2 else {
                throw VaultError.invalid("l2", "is required with an envelope, and when a field leaves tier 2")
            }
            return nil
        }
        guard present != nil || !envelopes.isEmpty else {
            throw VaultError.invalid("l2", "must be absent, because the entry has no L2 field")
        }
        // An older generation: a client that does not know of the last rekey, or an entry that a rekey has not reached.
        guard l2.generation == (try l2State(of: row.vault)).generation,
            present.map({ $0.generation == l2.generation }) ?? true, l2.number == present?.number ?? 1
        else { throw VaultError.l2KeyChanged }
        try l2.checkBox(fields: fields.count { $0.tier == .l2 })
        guard envelopes.allSatisfy({ (try? Box.keyID(of: $0)) == l2.number }) else {
            throw VaultError.invalid("fields.envelope", "must have l2.key as its key id")
        }
        if !envelopes.isEmpty {
            let kept = Set(fields.filter { $0.tier == .l2 && $0.isUnchanged }.map(\.id))
            let sizes = present == nil ? [] : try await store.l2Sizes(of: row.id, in: row.vault)
            let others = sizes.filter { $0.isCurrent && kept.contains($0.place.field) }.map(\.count)
            try checkTotal(envelopes.map(\.count) + others)
        }
        return l2.row(of: row.id, in: row.vault)
    }

    /// One request of a rekey must hold all current L2 values of an entry.
    private func checkTotal(_ counts: [Int]) throws {
        guard counts.reduce(0, +) <= EntryLimits.l2 else {
            throw VaultError.invalid("fields", "must have at most 2 MiB of L2 values together, in their encrypted form")
        }
    }

    private func l2State(of vault: VaultID) throws -> L2State {
        guard let state = try store.l2State(of: vault) else { throw VaultError.principalGone }
        return state
    }

    // MARK: Rekeying

    /// An entry's L2 key and a page of its L2 values of all versions.
    package struct L2Export: Sendable {
        /// The entry's version.
        package let version: Int
        package let row: L2EntryRow
        package let values: Page<L2StoredValue>
    }

    /// Lists an entry's L2 values for a client that gives it another key, also while it is in the trash. Each page is in the audit log
    /// before it is returned.
    ///
    /// - Throws: `noSuchEntry`, also for an entry that never had an L2 value.
    package func l2Values(
        of id: EntryID, after last: L2Version?, limit: Int, as principal: Principal
    ) async throws -> L2Export {
        let permit = try principal.authorize(.exportL2, at: now())
        try operations.spend(for: principal)
        return try await work.run(as: principal, in: store) {
            guard let entry = try store.entryRow(id, in: principal.vault),
                let row = try store.l2Entry(id, in: principal.vault)
            else { throw VaultError.noSuchEntry }
            let page = try await store.l2Values(
                of: id, in: principal.vault, after: last, limit: PageLimit(rows: limit))
            guard !page.items.isEmpty else { return L2Export(version: entry.version, row: row, values: page) }
            var event = principal.event(.export, entry: id, version: entry.version, reason: "l2")
            event.count = page.items.count
            var transaction = unit.transaction(for: permit)
            try transaction.log(event)
            try await transaction.commit()
            return L2Export(version: entry.version, row: row, values: page)
        }
    }

    private static let envelopesPerOperation = 16

    /// Gives an entry the next key: all of its current L2 values, encrypted anew, in one commit. Older versions that are not named are
    /// deleted. The entry's version stays.
    ///
    /// - Throws: `changedSince`; `l2KeyChanged` unless `l2` has the account's generation and the entry's row an older one, and the
    ///   number is the next.
    package func rekey(
        _ id: EntryID, ifVersion version: Int, _ l2: L2EntryWrite, envelopes: [L2Version: [UInt8]],
        as principal: Principal
    ) async throws {
        let permit = try principal.authorize(.rekeyEntry, at: now())
        for envelope in envelopes.values {
            try EntryEdit.checkEnvelope(envelope)
            guard try Box.keyID(of: envelope) == l2.number else {
                throw VaultError.invalid("envelopes.envelope", "must have l2.key as its key id")
            }
        }
        try await unit.change(permit) { transaction in
            guard let row = try store.entryRow(id, in: principal.vault),
                let present = try store.l2Entry(id, in: principal.vault)
            else { throw VaultError.noSuchEntry }
            guard row.version == version else { throw VaultError.changedSince(version: row.version) }
            guard l2.generation == (try l2State(of: row.vault)).generation, present.generation < l2.generation,
                present.number < .max, l2.number == present.number + 1
            else { throw VaultError.l2KeyChanged }
            try operations.spend(principal.vault, count: 1 + envelopes.count / Self.envelopesPerOperation)
            let sizes = try await store.l2Sizes(of: id, in: row.vault)
            let stored = Dictionary(sizes.map { ($0.version, $0) }) { first, _ in first }
            let current = sizes.filter(\.isCurrent)
            try l2.checkBox(fields: current.count)
            guard current.allSatisfy({ envelopes[$0.version] != nil }) else {
                throw VaultError.invalid("envelopes", "must contain every current L2 value; there are \(current.count)")
            }
            // Only the key changes, not the value. So the entry does not grow either.
            guard envelopes.allSatisfy({ stored[$0.key]?.count == $0.value.count }) else {
                throw VaultError.invalid(
                    "envelopes", "must each be as long as the stored one of this field and version")
            }
            transaction.write(
                .expectEntry(id, vault: row.vault, version: row.version, state: row.state),
                .putL2Entry(l2.row(of: id, in: row.vault)))
            let old = sizes.filter { envelopes[$0.version] == nil }.map(\.place)
            for size in sizes {
                if let envelope = envelopes[size.version] { transaction.write(.replaceEnvelope(size.place, envelope)) }
            }
            var event = principal.event(.entryRekey, entry: id, version: row.version)
            event.count = envelopes.count
            try transaction.log(event)
            if !old.isEmpty {
                transaction.write(.deleteValues(old))
                var event = principal.event(.historyPrune, entry: id, version: row.version)
                event.count = old.count
                try transaction.log(event)
            }
            transaction.write(.finishL2Rekey(row.vault))
            // What is left in the WAL opens with the old key.
            transaction.erase()
        }
    }

    /// A rekey ends with the last entry that it has not reached, also when that is purged.
    func finishL2Rekey(in vault: VaultID) throws -> [Mutation] {
        try l2State(of: vault).previous == nil ? [] : [.finishL2Rekey(vault)]
    }
}
