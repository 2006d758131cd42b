import Crypto
package import VaultFormat

extension Entries {
    /// Moves an entry to the trash: no agent can open it any more, and the owner can undo it.
    package func trash(_ id: EntryID, ifVersion version: Int?, as principal: Principal) async throws {
        try await unit.change(try principal.authorize(.trashEntry, at: now())) { transaction in
            var row = try row(id, .active, as: principal, missing: .noSuchEntry)
            if let version, version != row.version { throw VaultError.changedSince(version: row.version) }
            let expectation = Mutation.expectEntry(id, vault: row.vault, version: row.version, state: .active)
            row.state = .trashed
            row.deleted = now()
            let event = principal.event(.entryTrash, entry: id, version: row.version)
            transaction.write(
                expectation, .updateEntry(row),
                .dropAgentWraps(id, nil, owner: principal.holder.id, vault: principal.vault))
            try transaction.log(event)
        }
    }

    /// Restores an entry from the trash; agents whose grants match get access again.
    package func untrash(_ id: EntryID, as principal: Principal) async throws -> EntryView {
        let permit = try principal.authorize(.untrashEntry, at: now())
        try operations.spend(for: principal)
        return try await changeAndShare(permit) { transaction in
            try await activate(
                id, from: .trashed, .entryUntrash, missing: .noSuchEntry, as: principal, in: &transaction)
        }
    }

    /// Permanently deletes a trashed entry: its values, their keys, and their remains in the WAL.
    package func purge(_ id: EntryID, as principal: Principal) async throws {
        try await unit.change(try principal.authorize(.purgeEntry, at: now())) { transaction in
            let row = try row(id, .trashed, as: principal, missing: .noSuchEntry)
            try delete(row, .entryPurge, as: principal, in: &transaction)
            transaction.write(try finishL2Rekey(in: principal.vault))
        }
    }

    // MARK: Deposits

    /// Creates a deposit: an entry that neither the depositor nor any other agent can read.
    ///
    /// - Returns: Its id, which gives no access.
    package func deposit(
        _ edit: EntryEdit, as principal: Principal,
        adding extra: @escaping @Sendable (EntryID) throws -> [Mutation] = { _ in [] }
    ) async throws -> EntryID {
        let permit = try principal.authorize(.deposit, at: now())
        try edit.validate()
        try requireUse(permit)
        return try await rates.using(permit) {
            try operations.spend(for: principal)
            let time = now()
            let row = EntryRow(
                id: .random(), vault: principal.vault, version: 1, state: .deposit, created: time, updated: time,
                depositor: principal.id)
            return try await unit.change(permit) { transaction in
                transaction.write(
                    .stayWithin(quotas, principal.vault),
                    .expectDepositRoom(principal.id, in: principal.vault, maximum: quotas[.agentDeposits]),
                    .insertEntry(row))
                let parts = try depositParts(edit)
                let owner = try await ownerKey(of: row.vault)
                for (part, tier, plaintext) in parts {
                    let place = FieldPlace(
                        vault: row.vault, entry: row.id, field: part.field, part: part.part, tier: tier, version: 1)
                    let key = SymmetricKey(size: .bits256)
                    let box = Box.seal(plaintext, key: key, context: place.valueContext)
                    transaction.write(
                        .putValue(StoredValue(place: place, box: box, written: time, author: principal.id)),
                        .putWrap(try owner.seal(key, at: place, root: keys.root)))
                }
                var event = principal.event(.depositCreate, entry: row.id, version: 1)
                event.changed = parts.map(\.0.text)
                transaction.write(try extra(row.id))
                transaction.write(byteMutation(transaction, principal))
                try transaction.log(charging: [event])
                return row.id
            }
        }
    }

    /// Accepts a deposit as a regular entry: re-wrapped for the owner, indexed, and shared by its tags.
    package func accept(_ id: EntryID, as principal: Principal) async throws -> EntryView {
        let permit = try principal.authorize(.acceptDeposit, at: now())
        try operations.spend(for: principal)
        return try await changeAndShare(permit) { transaction in
            try await activate(
                id, from: .deposit, .depositAccept, missing: .noSuchDeposit, as: principal, in: &transaction)
        }
    }

    /// Rejects and deletes a deposit.
    package func reject(_ id: EntryID, as principal: Principal) async throws {
        try await unit.change(try principal.authorize(.rejectDeposit, at: now())) { transaction in
            let row = try row(id, .deposit, as: principal, missing: .noSuchDeposit)
            try delete(row, .depositReject, as: principal, in: &transaction)
        }
    }

    // MARK: Shared

    private func activate(
        _ id: EntryID, from state: EntryState, _ action: AuditEvent.Action, missing: VaultError,
        as principal: Principal, in transaction: inout Transaction
    ) async throws -> Changed {
        _ = try row(id, state, as: principal, missing: missing)
        let open = try await openEntry(id, as: principal)
        var row = open.stored.row
        let expectation = Mutation.expectEntry(id, vault: row.vault, version: row.version, state: state)
        row.state = .active
        row.deleted = nil
        row.depositor = nil
        // Only access changes, not content, so the version stays.
        let written = try await apply(EntryEdit(), to: open, row: row, as: principal)
        let metadata = [open.stored.title, open.stored.details].compactMap(\.?.field)
        let fields = Array(open.stored.fields.values) + Array(open.stored.abouts.values)
        let upgraded: [Mutation] = try (metadata + fields).compactMap { part in
            guard let wrap = part.wrap, wrap.isSealed else { return nil }
            let key = try principal.holder.unwrap(wrap, root: keys.root)
            return .upgradeWrap(principal.holder.wrap(key, at: part.place))
        }
        var event = principal.event(action, entry: id, version: row.version)
        event.readers = written.readers
        return try await add(
            written, after: [expectation, .updateEntry(row)] + upgraded, event, as: principal, to: &transaction)
    }

    private func row(
        _ id: EntryID, _ state: EntryState, as principal: Principal, missing: VaultError
    ) throws -> EntryRow {
        guard let row = try store.entryRow(id, in: principal.vault), row.state == state else { throw missing }
        return row
    }

    private func delete(
        _ row: EntryRow, _ action: AuditEvent.Action, as principal: Principal, in transaction: inout Transaction
    ) throws {
        transaction.write(
            .expectEntry(row.id, vault: row.vault, version: row.version, state: row.state), .deleteEntry(row.id))
        try transaction.log(principal.event(action, entry: row.id, version: row.version))
        transaction.erase()
    }

    private func ownerKey(of vault: VaultID) async throws -> HolderPublicKey {
        guard let owner = try await store.holders(of: vault).first(where: { $0.principal == vault.owner }) else {
            throw VaultError.damaged("a vault without an owner")
        }
        return try HolderPublicKey(owner, keys: keys)
    }

    private func depositParts(_ edit: EntryEdit) throws -> [(PartID, Tier, [UInt8])] {
        guard let title = edit.title else { throw VaultError.invalid("title", "is required") }
        var details = DetailsText(urls: edit.urls ?? [], tags: edit.tags ?? [], notes: edit.notes ?? "")
        var parts: [(PartID, Tier, [UInt8])] = []
        for field in edit.fields {
            guard case .value(let value)? = field.content, field.tier ?? .l1 == .l1, let label = field.label else {
                throw VaultError.invalid("fields", "must be L1 fields with label and value in a deposit")
            }
            let id = field.id ?? .random()
            let kind = field.kind ?? .text
            parts.append((PartID(id), .l1, try ValueText(value: value).plaintext()))
            parts.append((PartID(id, .about), .metadata, try AboutText(label: label, kind: kind).plaintext()))
            details.fields.append(.init(id: id.text, label: label, kind: kind, tier: Tier.l1.rawValue))
        }
        parts.append((.title, .metadata, try TitleText(title: title, type: edit.type ?? .login).plaintext()))
        parts.append((.details, .metadata, try details.plaintext()))
        return parts
    }
}
