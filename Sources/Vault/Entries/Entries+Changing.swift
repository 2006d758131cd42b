import Crypto
package import VaultFormat

extension Entries {
    /// Adds an entry. The client may have chosen the ids; with L2 fields it must have.
    ///
    /// `extra`: What is committed with it, made from the entry as it will be.
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

    /// Changes an entry that is still at `version`: the owner anything, an agent values of fields that it holds.
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

    /// Throws `usesExhausted` when a token is used up, before its holder uses up what its vault needs. `countUse` decides.
    func requireUse(_ permit: Permit, count: Int = 1) throws {
        guard let most = permit.obligations.maximumUses else { return }
        let uses = try store.uses(of: permit.principal.holder.id)
        guard (uses ?? 0) + count <= most else { throw VaultError.usesExhausted }
    }

    /// Brings an older version back as a new one. Fields that it lacked go away.
    ///
    /// `envelopes`: New envelopes for L2 fields that have changed since; only the client can make them.
    package func restore(
        _ id: EntryID, to version: Int, ifVersion current: Int, envelopes: [FieldID: [UInt8]], as principal: Principal
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
            let edit = try await past(of: open, at: version, envelopes: envelopes, as: principal)
            return try await add(edit, of: open, as: principal, to: &transaction)
        }
    }

    /// The edit that turns an entry back into what it was.
    private func past(
        of open: OpenEntry, at version: Int, envelopes: [FieldID: [UInt8]], as principal: Principal
    ) async throws -> EntryEdit {
        let id = open.stored.row.id
        func part(_ field: FieldID) async throws -> StoredPart {
            let part = try await store.part(
                field, of: id, in: principal.vault, for: principal.holder.id, notAfter: version)
            guard let part else { throw VaultError.noSuchVersion }
            return part
        }
        let title = try TitleText(
            jsonBytes: try await part(.title).open(by: principal.holder, root: keys.root))
        let details = try DetailsText(
            jsonBytes: try await part(.details).open(by: principal.holder, root: keys.root))
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
                    let text = try ValueText(jsonBytes: try old.open(by: principal.holder, root: keys.root))
                    change.content = .value(text.value)
                }
            }
            edit.fields.append(change)
        }
        guard missing.isEmpty else { throw VaultError.needsEnvelopes(missing) }
        return edit
    }

    /// Writes the owner's edit as the entry's next version.
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

    /// An agent's new values: each sealed at once to the field's present holders, without the owner.
    private func addValues(
        of edit: EntryEdit, of open: OpenEntry, _ permit: Permit, to transaction: inout Transaction
    ) async throws -> EntryView {
        let principal = permit.principal
        if edit.touchesMetadata || edit.fields.isEmpty { try principal.authorize(.changeMetadata, at: now()) }
        var row = open.stored.row
        transaction.write(permit.mutations())
        transaction.write(
            .stayWithin(quotas, principal.vault),
            .expectEntry(row.id, vault: row.vault, version: row.version, state: .active))
        var sealed = 0
        row.version += 1
        row.updated = now()
        transaction.write(.updateEntry(row))
        let present = try await store.readers(of: row.id)
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
                throw VaultError.invalid("fields.value", "an agent writes L1 values only")
            }
            let field = view.fields[index]
            let place = FieldPlace(
                vault: row.vault, entry: row.id, field: id, tier: .l1, version: row.version)
            let key = SymmetricKey(size: .bits256)
            let text = try ValueText(label: field.label, kind: field.kind, value: value).jsonBytes()
            let box = Box.seal(text, key: key, context: place.valueContext)
            transaction.write(
                .putValue(StoredValue(place: place, box: box, written: row.updated, author: principal.holder.id)))
            guard let owner = publicKeys.owner else { throw VaultError.damaged("a vault without an owner") }
            transaction.write(
                .dropAgentWraps(row.id, id, owner: owner.id),
                .putWrap(try owner.seal(key, at: place, root: keys.root)),
                .putWrap(principal.holder.wrap(key, at: place)))
            let others = (present[id] ?? []).subtracting([principal.holder.id])
            sealed += others.count + 1
            guard sealed <= EntryLimits.sealedKeys else { throw VaultError.tooManySeals }
            for other in others.sorted() {
                guard let reader = publicKeys.agents[other] else { continue }
                transaction.write(.putWrap(try reader.seal(key, at: place, root: keys.root)))
            }
            event.changed?.append(id.text)
            event.readers?[id.text] = (others.map(\.text) + [principal.holder.id.text]).sorted()
            view.fields[index].version = row.version
        }
        transaction.write(byteMutation(transaction, principal))
        try transaction.log(charging: [event])
        try prune(try await superseded(row, as: principal), of: row, as: principal, in: &transaction)
        return view
    }

    /// Values of versions beyond those that are kept: at least as many as a change adds.
    ///
    /// An agent makes room among its own: however often it writes, what the owner wrote stays in the history.
    private func superseded(_ row: EntryRow, as principal: Principal) async throws -> [FieldPlace] {
        // The owner's change is one of those that are kept.
        let (owners, author): (Int, HolderID?) =
            switch principal.party {
            case .owner: (max(1, quotas[.versions] - 1), nil)
            case .agents: (max(1, quotas[.versions]), principal.holder.id)
            }
        return try await store.superseded(
            in: row.id, before: row.version - quotas[.versions], owners: owners, by: author,
            limit: 2 * EntryLimits.fields)
    }

    /// Deletes superseded values, and says so in the log.
    private func prune(
        _ places: [FieldPlace], of row: EntryRow, as principal: Principal, in transaction: inout Transaction
    ) throws {
        guard !places.isEmpty else { return }
        var event = principal.event(.historyPrune, entry: row.id, version: row.version)
        event.count = places.count
        transaction.write(.deleteValues(places))
        try transaction.log(event)
    }

    /// Throws `quotaExceeded` when nothing more may be added, before work is done for it. `stayWithin` decides.
    func requireRoom(for counted: [Quota], as principal: Principal) async throws {
        let usage = try await store.usage(of: principal.vault)
        for quota in counted where usage[quota] >= quotas[quota] {
            throw VaultError.quotaExceeded(quota, quotas[quota])
        }
    }

    /// Counts what an agent's change writes against its day.
    func byteMutation(_ transaction: Transaction, _ principal: Principal) -> Mutation {
        .countBytes(
            principal.holder.id, transaction.bytesAtRest, day: now() / 86_400,
            maximum: quotas[.agentBytesPerDay])
    }

    /// The public halves of everybody in a vault, each from the row that a node sealed.
    private func publicKeys(
        of vault: VaultID
    ) async throws -> (owner: HolderPublicKey?, agents: [HolderID: HolderPublicKey]) {
        var owner: HolderPublicKey?
        var agents: [HolderID: HolderPublicKey] = [:]
        for row in try await store.holders(of: vault) {
            let key = try HolderPublicKey(row, keys: keys)
            if row.isOwner { owner = key } else { agents[row.id] = key }
        }
        return (owner, agents)
    }
}
