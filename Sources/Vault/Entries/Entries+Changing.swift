import Crypto
package import VaultFormat

extension Entries {
    /// Creates an entry. The client may choose the ids, and must do so with L2 fields.
    ///
    /// `extra`: Returns further mutations for the same commit, given the resulting entry.
    package func create(
        _ edit: EntryEdit, id: EntryID?, as principal: Principal,
        adding extra: @escaping @Sendable (EntryView) throws -> [Mutation] = { _ in [] }
    ) async throws -> EntryView {
        let permit = try principal.authorize(.createEntry, at: now())
        try edit.validate()
        try operations.spend(for: principal)
        let id = id ?? .random()
        let time = now()
        return try await changeAndShare(permit) { transaction in
            let row = EntryRow(id: id, vault: principal.vault, version: 1, state: .active, created: time, updated: time)
            var written = try await apply(edit, to: nil, row: row, as: principal)
            var event = principal.event(.entryCreate, entry: id, version: 1)
            event.changed = written.changed.map(\.text)
            event.readers = written.readers
            written.mutations += try extra(written.view)
            return try await add(written, after: [.insertEntry(row)], event, as: principal, to: &transaction)
        }
    }

    /// Changes an entry that is still at `version`. The owner may change anything, an agent values of fields that it can open.
    package func update(
        _ id: EntryID, ifVersion version: Int, _ edit: EntryEdit, as principal: Principal
    ) async throws -> EntryView {
        let permit = try principal.authorize(.changeValues, at: now())
        try edit.validate()
        return try await rates.using(permit) {
            try requireUse(permit)
            return try await changeAndShare(permit) { transaction in
                let open = try await openEntry(id, as: principal)
                let row = open.stored.row
                guard row.state == .active else { throw VaultError.noSuchEntry }
                guard row.version == version else { throw VaultError.changedSince(version: row.version) }
                try operations.spend(for: principal)
                switch principal.visibility {
                case .wholeVault: return try await add(edit, of: open, as: principal, to: &transaction)
                case .heldKeys:
                    return Changed(view: try await addValues(of: edit, of: open, permit, to: &transaction))
                }
            }
        }
    }

    /// Throws `usesExhausted` early when a token is used up, before the request uses up the vault's budgets. `countUse` makes the
    /// final check in the commit.
    func requireUse(_ permit: Permit, count: Int = 1) throws {
        guard let most = permit.obligations.maximumUses else { return }
        let uses = try store.agentRow(permit.principal.id, in: permit.principal.vault)?.uses
        guard (uses ?? 0) + count <= most else { throw VaultError.usesExhausted }
    }

    /// Restores an older version as a new one. Fields that it did not have are removed.
    ///
    /// `envelopes`: New envelopes for L2 fields that have changed since, which only the client can create.
    /// `l2`: Required with envelopes, and when a field that is L2 now was L1.
    package func restore(
        _ id: EntryID, to version: Int, ifVersion current: Int, envelopes: [FieldID: [UInt8]],
        l2: L2EntryWrite? = nil, as principal: Principal
    ) async throws -> EntryView {
        let permit = try principal.authorize(.restoreVersion, at: now())
        for envelope in envelopes.values { try EntryEdit.checkEnvelope(envelope) }
        try operations.spend(for: principal)
        return try await changeAndShare(permit) { transaction in
            let open = try await openEntry(id, as: principal)
            let row = open.stored.row
            guard row.state == .active else { throw VaultError.noSuchEntry }
            guard row.version == current else { throw VaultError.changedSince(version: row.version) }
            guard (1..<row.version).contains(version) else { throw VaultError.noSuchVersion }
            var edit = try await past(of: open, at: version, envelopes: envelopes, as: principal)
            edit.l2 = l2
            return try await add(edit, of: open, as: principal, to: &transaction)
        }
    }

    /// Creates the edit that restores a version.
    private func past(
        of open: OpenEntry, at version: Int, envelopes: [FieldID: [UInt8]], as principal: Principal
    ) async throws -> EntryEdit {
        let id = open.stored.row.id
        func part(_ field: FieldID) async throws -> StoredPart {
            let part = try await store.part(
                PartID(field), of: id, in: principal.vault, for: principal.holder.id, notAfter: version)
            guard let part else { throw VaultError.noSuchVersion }
            return part
        }
        let title = try TitleText(
            plaintext: try await part(.title).open(by: principal.holder, root: keys.root))
        let details = try DetailsText(
            plaintext: try await part(.details).open(by: principal.holder, root: keys.root))
        var edit = EntryEdit(
            title: title.title, type: title.type, urls: details.urls, tags: details.tags, notes: details.notes,
            replacesFields: true)
        var missing: [FieldID] = []
        for field in details.fields {
            guard let fieldID = FieldID(text: field.id) else { throw VaultError.damaged("a field id in the details") }
            let old = try await part(fieldID)
            var change = EntryEdit.Field(id: fieldID, label: field.label, kind: field.kind, tier: old.value.place.tier)
            let isUnchanged = open.stored.fields[fieldID]?.place == old.value.place
            if !isUnchanged {
                if old.value.place.tier == .l2 {
                    if let envelope = envelopes[fieldID] {
                        change.content = .envelope(envelope)
                    } else {
                        missing.append(fieldID)
                    }
                } else {
                    let text = try ValueText(plaintext: try old.open(by: principal.holder, root: keys.root))
                    change.content = .value(text.value)
                }
            }
            edit.fields.append(change)
        }
        guard missing.isEmpty else { throw VaultError.needsEnvelopes(missing) }
        return edit
    }

    /// Adds the owner's edit as the entry's next version.
    private func add(
        _ edit: EntryEdit, of open: OpenEntry, as principal: Principal, to transaction: inout Transaction
    ) async throws -> Changed {
        var row = open.stored.row
        let expectation = Mutation.expectEntry(row.id, vault: row.vault, version: row.version, state: .active)
        row.version += 1
        row.updated = now()
        let written = try await apply(edit, to: open, row: row, as: principal)
        var event = principal.event(.entryUpdate, entry: row.id, version: row.version)
        event.changed = written.changed.map(\.text)
        event.removed = written.removed.map(\.text)
        event.readers = written.readers
        let changed = try await add(
            written, after: [expectation, .updateEntry(row)], event, as: principal, to: &transaction)
        try prune(try await superseded(row, as: principal), of: row, as: principal, in: &transaction)
        return changed
    }

    /// Adds an agent's new values, each sealed to the field's current readers and the owner's public key.
    private func addValues(
        of edit: EntryEdit, of open: OpenEntry, _ permit: Permit, to transaction: inout Transaction
    ) async throws -> EntryView {
        let principal = permit.principal
        if edit.touchesMetadata || edit.fields.isEmpty { try principal.authorize(.changeMetadata, at: now()) }
        var row = open.stored.row
        transaction.write(
            .stayWithin(quotas, principal.vault),
            .expectEntry(row.id, vault: row.vault, version: row.version, state: .active))
        var sealed = 0
        row.version += 1
        row.updated = now()
        transaction.write(.updateEntry(row))
        let present = try await store.readers(of: row.id, in: row.vault)
        let publicKeys = try await publicKeys(of: principal.vault)
        var event = principal.event(.entryUpdate, entry: row.id, version: row.version)
        event.changed = []
        event.readers = [:]
        var view = open.view
        view.version = row.version
        view.updated = row.updated
        for change in edit.fields {
            guard let id = change.id, let index = view.fields.firstIndex(where: { $0.id == id }) else {
                throw VaultError.noSuchField
            }
            guard case .value(let value)? = change.content else {
                throw VaultError.invalid("fields.value", "must be an L1 value, because an agent cannot write others")
            }
            let place = FieldPlace(
                vault: row.vault, entry: row.id, field: id, tier: .l1, version: row.version)
            let key = SymmetricKey(size: .bits256)
            let box = Box.seal(try ValueText(value: value).plaintext(), key: key, context: place.valueContext)
            transaction.write(
                .putValue(StoredValue(place: place, box: box, written: row.updated, author: principal.id)))
            guard let owner = publicKeys.owner else { throw VaultError.damaged("a vault without an owner") }
            transaction.write(
                .dropAgentWraps(row.id, place.partID, owner: owner.id, vault: row.vault),
                .putWrap(try owner.seal(key, at: place, root: keys.root)))
            // The agent itself keeps the key only if it could open the value before.
            var readers = present[place.partID] ?? []
            if readers.contains(principal.id) { transaction.write(.putWrap(principal.holder.wrap(key, at: place))) }
            let others = readers.subtracting([principal.id])
            sealed += others.count + 1
            guard sealed <= EntryLimits.sealedKeys else { throw VaultError.tooManySeals }
            for other in others.sorted() {
                guard let reader = publicKeys.agents[other] else {
                    readers.remove(other)
                    continue
                }
                transaction.write(.putWrap(try reader.seal(key, at: place, root: keys.root)))
            }
            event.changed?.append(id.text)
            event.readers?[id.text] = readers.map(\.text).sorted()
            view.fields[index].version = row.version
        }
        transaction.write(byteMutation(transaction, principal))
        try transaction.log(charging: [event])
        try prune(try await superseded(row, as: principal), of: row, as: principal, in: &transaction)
        return view
    }

    /// Values of versions beyond the retention limit, at least as many as a change adds.
    ///
    /// An agent's change displaces only versions by the same agent, so that the owner's versions stay in the history.
    private func superseded(_ row: EntryRow, as principal: Principal) async throws -> [FieldPlace] {
        // The owner's change itself counts as a kept version.
        let (owners, author): (Int, PrincipalID?) =
            switch principal.party {
            case .owner: (max(1, quotas[.versions] - 1), nil)
            case .agents: (max(1, quotas[.versions]), principal.id)
            }
        return try await store.superseded(
            in: row.id, before: row.version - quotas[.versions], owners: owners, by: author,
            limit: 2 * EntryLimits.fields)
    }

    /// Deletes superseded values and logs it.
    private func prune(
        _ places: [FieldPlace], of row: EntryRow, as principal: Principal, in transaction: inout Transaction
    ) throws {
        guard !places.isEmpty else { return }
        var event = principal.event(.historyPrune, entry: row.id, version: row.version)
        event.count = places.count
        transaction.write(.deleteValues(places))
        try transaction.log(event)
    }

    /// Throws `quotaExceeded` early when a quota is used up. `stayWithin` makes the final check in the commit.
    func requireRoom(for counted: [Quota], as principal: Principal) async throws {
        let usage = try await store.usage(of: principal.vault)
        for quota in counted where usage[quota] >= quotas[quota] {
            throw VaultError.quotaExceeded(quota, quotas[quota])
        }
    }

    /// Counts the bytes of an agent's change against its daily quota.
    func byteMutation(_ transaction: Transaction, _ principal: Principal) -> Mutation {
        .countBytes(
            principal.id, transaction.bytesAtRest, day: now() / 86_400,
            maximum: quotas[.agentBytesPerDay])
    }

    /// Reads the public keys of a vault's owner and agents, each authenticated by the node.
    private func publicKeys(
        of vault: VaultID
    ) async throws -> (owner: HolderPublicKey?, agents: [PrincipalID: HolderPublicKey]) {
        var all: [PrincipalID: HolderPublicKey] = [:]
        for row in try await store.holders(of: vault) { all[row.principal] = try HolderPublicKey(row, keys: keys) }
        let owner = all.removeValue(forKey: vault.owner)
        return (owner, all)
    }
}
