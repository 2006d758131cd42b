/// The vault's entries: everything that people and agents do with them, and the rules of it.
package struct Entries: Sendable {
    let store: any VaultStore
    let keys: NodeKeys
    let audit: AuditSealer
    let locks: VaultLocks
    let now: @Sendable () -> Int64

    package init(
        store: any VaultStore, keys: NodeKeys, audit: AuditSealer, locks: VaultLocks,
        now: @escaping @Sendable () -> Int64
    ) {
        self.store = store
        self.keys = keys
        self.audit = audit
        self.locks = locks
        self.now = now
    }

    // MARK: Reading

    /// A field's current content. On record before it is returned.
    package func read(_ field: FieldID, of entry: EntryID, as caller: Caller) async throws -> FieldContent {
        try caller.require(.read)
        var (part, content) = try open(field, of: entry, as: caller)
        if part.value.place.tier == .l2,
            let known = try await view(entry, as: caller).fields.first(where: { $0.id == field })
        {
            // The label of an L2 field stands in the details: the node cannot open the value.
            content.field.label = known.label
            content.field.kind = known.kind
        }
        try await record(.valueRead, part, caller)
        return content
    }

    /// A field's content as it was in an older version. The owner's alone.
    package func read(
        _ field: FieldID, of entry: EntryID, at version: Int, as caller: Caller
    ) async throws -> FieldContent {
        try caller.requireOwner()
        guard
            let part = try await store.part(
                field, of: entry, in: caller.vault, for: caller.holder.id, notAfter: version),
            !field.isReserved
        else { throw VaultError.noSuchVersion }
        let content = try content(of: part, as: caller)
        try await record(.valueRead, part, caller)
        return content
    }

    /// The current code of a TOTP field, for callers that may have the code and not the seed.
    package func code(
        _ field: FieldID, of entry: EntryID, as caller: Caller
    ) async throws -> (code: String, period: Int64, expiresIn: Int64) {
        try caller.require(.totp, .read)
        let (part, content) = try open(field, of: entry, as: caller)
        // A password may be base32 by chance, and its code would tell of it.
        guard content.field.kind == .totp, case .value(let seed) = content.content, let generator = TOTP(seed) else {
            throw VaultError.notATOTPSeed
        }
        try await record(.codeRead, part, caller)
        let time = now()
        return (generator.code(at: time), generator.period, generator.period - time % generator.period)
    }

    /// One entry's metadata.
    package func view(_ id: EntryID, as caller: Caller) async throws -> EntryView {
        try await openEntry(id, as: caller).view
    }

    /// Metadata of entries in the order of their creation.
    ///
    /// - Returns: The views, and where to go on; nil at the end.
    package func list(
        _ state: EntryState = .active, after order: Int64 = 0, limit: Int, as caller: Caller
    ) async throws -> (entries: [EntryView], next: Int64?) {
        if state != .active { try caller.requireOwner() }
        let stored = try await store.entries(
            in: caller.vault, for: caller.holder.id, state: state, after: order, limit: limit)
        let next = stored.count == limit ? stored.last?.row.order : nil
        return (try stored.map { try OpenEntry($0, by: caller, root: keys.root).view }, next)
    }

    /// What was changed when and by whom, newest first.
    package func versions(of id: EntryID, as caller: Caller) async throws -> [EntryVersion] {
        try caller.requireOwner()
        let history = try await store.history(of: id, in: caller.vault)
        guard !history.isEmpty else { throw VaultError.noSuchEntry }
        var versions: [Int: EntryVersion] = [:]
        for row in history {
            let number = row.place.version
            var version = versions[number] ?? EntryVersion(version: number, at: row.at, by: row.by, fields: [])
            if !row.place.field.isReserved { version.fields.append(row.place.field) }
            versions[number] = version
        }
        return versions.values.sorted { $0.version > $1.version }
    }

    // MARK: Opening

    func openEntry(_ id: EntryID, as caller: Caller) async throws -> OpenEntry {
        guard let stored = try await store.entry(id, in: caller.vault, for: caller.holder.id),
            caller.isOwner || stored.row.state == .active
        else { throw VaultError.noSuchEntry }
        return try OpenEntry(stored, by: caller, root: keys.root)
    }

    /// The hot path: one look-up by key, two boxes.
    private func open(
        _ field: FieldID, of entry: EntryID, as caller: Caller
    ) throws -> (StoredPart, FieldContent) {
        guard !field.isReserved,
            let part = try store.part(field, of: entry, in: caller.vault, for: caller.holder.id)
        else { throw VaultError.noSuchField }
        return (part, try content(of: part, as: caller))
    }

    private func content(of part: StoredPart, as caller: Caller) throws -> FieldContent {
        let place = part.value.place
        guard place.tier == .l1 else {
            // To an agent an L2 field is one that is not there.
            guard caller.isOwner else { throw VaultError.noSuchField }
            return FieldContent(
                field: .init(id: place.field, label: "", kind: .secret, tier: place.tier, version: place.version),
                content: .envelope(part.value.box))
        }
        let text = try ValueText(jsonBytes: try part.open(by: caller.holder, root: keys.root))
        return FieldContent(
            field: .init(id: place.field, label: text.label, kind: text.kind, tier: .l1, version: place.version),
            content: .value(text.value))
    }

    /// Puts a read on record, and in the same commit makes a sealed wrap cheap to open next time.
    private func record(_ action: AuditEvent.Action, _ part: StoredPart, _ caller: Caller) async throws {
        let place = part.value.place
        var steps = caller.useSteps
        if let wrap = part.wrap, wrap.isSealed {
            steps.append(.settleWrap(caller.holder.wrap(try caller.holder.unwrap(wrap, root: keys.root), at: place)))
        }
        let event = caller.event(action, entry: place.entry, field: place.field, version: place.version)
        try await store.commit(steps, [try audit.seal(event, vault: caller.vault)])
    }
}
