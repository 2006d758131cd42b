import OneTimePasswords
package import VaultFormat

/// The vault's entries: everything that people and agents do with them, and the rules of it.
package struct Entries: Sendable {
    let unit: UnitOfWork
    let keys: NodeKeys
    let quotas: Quotas
    let rates: AgentRates

    var store: any VaultStore { unit.store }
    /// Where its principals have their turns.
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

    /// A field's current content. On record before it is returned.
    ///
    /// `encode`: What is answered of it, made in the same turn where it is large.
    package func read<R: Sendable>(
        _ field: FieldID, of entry: EntryID, as principal: Principal,
        encode: @escaping @Sendable (FieldContent) throws -> R
    ) async throws -> R {
        let permit = try principal.authorize(.readValue, at: now())
        return try await inTurn(as: principal, { try find(field, of: entry, as: principal) }) { part in
            var opened = try open(part, as: principal)
            if opened.read.place.tier == .l2 {
                opened.label(try await view(entry, as: principal).fields.first { $0.id == field })
            }
            let answer = try encode(opened.content)
            try await record(.valueRead, [opened.read], permit)
            return answer
        }
    }

    package func read(_ field: FieldID, of entry: EntryID, as principal: Principal) async throws -> FieldContent {
        try await read(field, of: entry, as: principal) { $0 }
    }

    /// Bytes of a box from which on opening it takes more than some tenths of a millisecond.
    private static let largeBox = 8 << 10

    /// A large value is opened, and its answer made, in its principal's turn; one that is not, here and now.
    ///
    /// What waits for its turn holds nothing, and finds its part when it has it: by then it may be gone.
    private func inTurn<R: Sendable>(
        as principal: Principal, _ find: @escaping @Sendable () async throws -> StoredPart,
        _ body: @escaping @Sendable (StoredPart) async throws -> R
    ) async throws -> R {
        if let part = try await smallPart(find) { return try await body(part) }
        return try await work.run(as: principal, in: store) { try await body(try await find()) }
    }

    /// Nil for a large one.
    private func smallPart(_ find: () async throws -> StoredPart) async throws -> StoredPart? {
        let part = try await find()
        return part.value.box.count > Self.largeBox ? nil : part
    }

    /// Fields that one request reads.
    package static let mostRead = 64

    /// Bytes of what one request reads, as they are answered.
    private static let mostReadBytes = 2 << 20

    /// The current contents of several fields, in their order: all of them, on record in one commit, or none.
    ///
    /// `add`: Adds what is answered of a field to the answer. Called within the principal's turn, one field at a time.
    package func read(
        _ fields: [(entry: EntryID, field: FieldID)], as principal: Principal,
        add: @escaping @Sendable (FieldContent, inout [UInt8]) -> Void
    ) async throws -> [UInt8] {
        let permit = try principal.authorize(.readValue, at: now())
        guard (1...Self.mostRead).contains(fields.count) else {
            throw VaultError.invalid("values", "must be 1 to \(Self.mostRead)")
        }
        guard Set(fields.map { $0.entry.bytes + $0.field.bytes }).count == fields.count else {
            throw VaultError.invalid("values", "must not name a field twice")
        }
        return try await work.run(as: principal, in: store) {
            var reads: [FieldRead] = []
            var answer: [UInt8] = []
            var labels: [EntryID: [FieldID: EntryView.FieldView]] = [:]
            for (entry, field) in fields {
                try Task.checkCancellation()
                var found = try open(try find(field, of: entry, as: principal), as: principal)
                if found.read.place.tier == .l2 {
                    if labels[entry] == nil {
                        let wanted = Set(fields.filter { $0.entry == entry }.map(\.field))
                        let known = try await openEntry(entry, as: principal).view.fields.filter {
                            wanted.contains($0.id)
                        }
                        labels[entry] = Dictionary(known.map { ($0.id, $0) }) { first, _ in first }
                    }
                    found.label(labels[entry]?[field])
                }
                reads.append(found.read)
                add(found.content, &answer)
                guard answer.count <= Self.mostReadBytes else {
                    throw VaultError.invalid("values", "hold more than 2 MiB together; ask for fewer at once")
                }
                try await WorkQueue.breathe()
            }
            try await record(.valueRead, reads, permit)
            return answer
        }
    }

    /// A field's content as it was in an older version. The owner's alone.
    package func read<R: Sendable>(
        _ field: FieldID, of entry: EntryID, at version: Int, as principal: Principal,
        encode: @escaping @Sendable (FieldContent) throws -> R
    ) async throws -> R {
        let permit = try principal.authorize(.readPastValue, at: now())
        let find: @Sendable () async throws -> StoredPart = {
            guard let row = try await store.entryRow(entry, in: principal.vault) else { throw VaultError.noSuchEntry }
            guard (1...row.version).contains(version),
                let part = try await store.part(
                    field, of: entry, in: principal.vault, for: principal.holder.id, notAfter: version),
                !field.isReserved
            else { throw VaultError.noSuchVersion }
            return part
        }
        return try await inTurn(as: principal, find) { part in
            let opened = try open(part, as: principal)
            let answer = try encode(opened.content)
            try await record(.valueRead, [opened.read], permit)
            return answer
        }
    }

    package func read(
        _ field: FieldID, of entry: EntryID, at version: Int, as principal: Principal
    ) async throws -> FieldContent {
        try await read(field, of: entry, at: version, as: principal) { $0 }
    }

    /// The current code of a TOTP field, for principals that may have the code and not the seed.
    package func code(
        _ field: FieldID, of entry: EntryID, as principal: Principal
    ) async throws -> (code: String, period: Int64, expiresIn: Int64) {
        let permit = try principal.authorize(.readCode, at: now())
        return try await inTurn(as: principal, { try find(field, of: entry, as: principal) }) { part in
            let opened = try open(part, as: principal)
            // A password may be base32 by chance, and its code would tell of it.
            guard opened.content.field.kind == .totp, case .value(let seed) = opened.content.content,
                let generator = TOTP(seed)
            else { throw VaultError.notATOTPSeed }
            try await record(.codeRead, [opened.read], permit)
            let time = now()
            return (generator.code(at: time), generator.period, generator.period - time % generator.period)
        }
    }

    /// One entry's metadata.
    package func view(_ id: EntryID, as principal: Principal) async throws -> EntryView {
        try await work.run(as: principal, in: store) { try await openEntry(id, as: principal).view }
    }

    /// Metadata of entries in the order of their creation.
    ///
    /// - Returns: The views, and where to go on; nil at the end.
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

    /// Bytes of metadata that one request looks through; an agent's labels stand in its values.
    private static let mostLookedThrough = 4 << 20
    /// Rows that are read at a time, however few were asked for: each time the index is looked through anew.
    private static let rowsAtATime = 200

    /// Opens entries from `order` on until there are `limit` that match, a page's worth of bytes was found, or as much
    /// was looked through as one request may.
    ///
    /// - Returns: The views, and where to go on; nil at the end.
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
                try await WorkQueue.breathe()
                if found.count == limit || bytes >= most.bytes || read >= Self.mostLookedThrough {
                    return (found, order)
                }
            }
            if !page.hasMore { return (found, nil) }
        }
    }

    /// What was changed when and by whom, newest first.
    package func versions(of id: EntryID, as principal: Principal) async throws -> [EntryVersion] {
        try principal.authorize(.listVersions, at: now())
        let history = try await work.run(as: principal, in: store) {
            // An agent's record has a history too, and is no entry.
            guard try await store.entryRow(id, in: principal.vault) != nil else { throw VaultError.noSuchEntry }
            return try await store.history(of: id, in: principal.vault)
        }
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

    func openEntry(_ id: EntryID, as principal: Principal) async throws -> OpenEntry {
        guard let stored = try await store.entry(id, in: principal.vault, for: Reader(principal)) else {
            throw VaultError.noSuchEntry
        }
        try principal.authorize(.viewEntry, on: .entry(stored.row.state), at: now())
        return try OpenEntry(stored, by: principal, in: self)
    }

    /// What is put on record of a read.
    private struct FieldRead {
        let place: FieldPlace
        /// The wrap, made symmetric, if it was sealed.
        let upgraded: Wrap?
    }

    /// A field with its content.
    private struct OpenField {
        let read: FieldRead
        var content: FieldContent

        /// The label of an L2 field stands in the details: the node cannot open the value.
        mutating func label(_ known: EntryView.FieldView?) {
            guard let known else { return }
            content.field.label = known.label
            content.field.kind = known.kind
        }
    }

    /// One look-up by key.
    private func find(_ field: FieldID, of entry: EntryID, as principal: Principal) throws -> StoredPart {
        guard !field.isReserved,
            let part = try store.part(field, of: entry, in: principal.vault, for: Reader(principal))
        else { throw VaultError.noSuchField }
        return part
    }

    /// The hot path: two boxes.
    private func open(_ part: StoredPart, as principal: Principal) throws -> OpenField {
        let place = part.value.place
        guard place.tier == .l1 else {
            try principal.authorize(.readValue, on: .field(place.tier), at: now())
            let content = FieldContent(
                field: .init(id: place.field, label: "", kind: .secret, tier: place.tier, version: place.version),
                content: .envelope(part.value.box))
            return OpenField(read: FieldRead(place: place, upgraded: nil), content: content)
        }
        // A sealed key costs an X-Wing decapsulation, so it is opened once.
        let key = try part.dataKey(by: principal.holder, root: keys.root)
        let text = try ValueText(jsonBytes: try part.open(with: key))
        let content = FieldContent(
            field: .init(id: place.field, label: text.label, kind: text.kind, tier: .l1, version: place.version),
            content: .value(text.value))
        let isSealed = part.wrap?.isSealed == true
        let upgraded = isSealed ? principal.holder.wrap(key, at: place) : nil
        return OpenField(read: FieldRead(place: place, upgraded: upgraded), content: content)
    }

    /// Puts reads on record, and in the same commit makes sealed wraps cheap to open next time.
    private func record(
        _ action: AuditEvent.Action, _ reads: [FieldRead], _ permit: Permit
    ) async throws {
        let principal = permit.principal
        try await rates.using(permit, uses: reads.count) {
            try principal.requireUnexpired(at: now())
            try requireUse(permit, count: reads.count)
            try operations.spend(for: principal, count: reads.count)
            var transaction = unit.transaction(for: permit)
            transaction.write(permit.mutations(uses: reads.count, reading: reads.map(\.place)))
            transaction.write(reads.compactMap(\.upgraded).map(Mutation.upgradeWrap))
            for place in reads.map(\.place) {
                try transaction.log(
                    principal.event(action, entry: place.entry, field: place.field, version: place.version))
            }
            try await transaction.commit()
        }
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
