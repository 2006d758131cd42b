import OneTimePasswords
package import VaultFormat

/// Reading of values and codes. Every read is in the audit log before it is returned.
extension Entries {
    /// Reads a field's current content.
    ///
    /// `encode`: Encodes the response; runs in the work queue when the value is large.
    package func read<R: Sendable>(
        _ field: FieldID, of entry: EntryID, as principal: Principal,
        encode: @escaping @Sendable (FieldContent) throws -> R
    ) async throws -> R {
        let permit = try principal.authorize(.readValue, at: now())
        return try await scheduled(as: principal, { try find(field, of: entry, as: principal) }) { found in
            var opened = try open(found, as: principal)
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

    /// Bytes of a secret box from which on opening it takes more than a few tenths of a millisecond.
    private static let largeBox = 8 << 10

    /// Runs `body` immediately for a small value, and in the work queue for a large one.
    ///
    /// A large value is looked up again once the work runs, because it may have been removed meanwhile.
    private func scheduled<R: Sendable>(
        as principal: Principal, _ find: @escaping @Sendable () async throws -> FoundField,
        _ body: @escaping @Sendable (FoundField) async throws -> R
    ) async throws -> R {
        if let small = try await smallField(find) { return try await body(small) }
        return try await work.run(as: principal, in: store) { try await body(try await find()) }
    }

    /// Finds a field; nil when its value is large.
    private func smallField(_ find: () async throws -> FoundField) async throws -> FoundField? {
        let found = try await find()
        return found.value.value.box.count > Self.largeBox ? nil : found
    }

    /// Maximum fields in one request.
    package static let mostRead = 64

    /// Maximum response bytes of one request.
    private static let mostReadBytes = 2 << 20

    /// Reads the current contents of several fields, in order. All are logged in one commit, or none is returned.
    ///
    /// `add`: Appends a field to the response. Runs in the work queue, one field at a time.
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
                    throw VaultError.invalid("values", "must have at most 2 MiB together; read fewer at once")
                }
                try await WorkQueue.yieldIfNeeded()
            }
            try await record(.valueRead, reads, permit)
            return answer
        }
    }

    /// Reads a field's content in an older version. For the owner only.
    package func read<R: Sendable>(
        _ field: FieldID, of entry: EntryID, at version: Int, as principal: Principal,
        encode: @escaping @Sendable (FieldContent) throws -> R
    ) async throws -> R {
        let permit = try principal.authorize(.readPastValue, at: now())
        @Sendable func part(_ part: PartID) async throws -> StoredPart? {
            try await store.part(part, of: entry, in: principal.vault, for: principal.holder.id, notAfter: version)
        }
        let find: @Sendable () async throws -> FoundField = {
            guard let row = try store.entryRow(entry, in: principal.vault) else { throw VaultError.noSuchEntry }
            guard (1...row.version).contains(version), !field.isReserved, let value = try await part(PartID(field))
            else { throw VaultError.noSuchVersion }
            let about = value.value.place.tier == .l1 ? try await part(PartID(field, .about)) : nil
            // Nobody but the owner reads it, who needs no wrap that is named.
            return FoundField(value: value, about: about, record: .zeros)
        }
        return try await scheduled(as: principal, find) { found in
            var opened = try open(found, as: principal)
            if opened.read.place.tier == .l2 {
                opened.label(try await pastLabel(of: field, try await part(.details), as: principal))
            }
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

    /// Reads the current code of a TOTP field, for principals with access to codes but not to the seed.
    package func code(
        _ field: FieldID, of entry: EntryID, as principal: Principal
    ) async throws -> (code: String, period: Int64, expiresIn: Int64) {
        let permit = try principal.authorize(.readCode, at: now())
        return try await scheduled(as: principal, { try find(field, of: entry, as: principal) }) { found in
            let opened = try open(found, as: principal)
            // Other kinds are refused: a password may be valid base 32, and its code would reveal part of it.
            guard opened.content.field.kind == .totp, case .value(let seed) = opened.content.content,
                let generator = TOTP(seed)
            else { throw VaultError.notATOTPSeed }
            try await record(.codeRead, [opened.read], permit)
            let time = now()
            return (generator.code(at: time), generator.period, generator.period - time % generator.period)
        }
    }

    // MARK: Opening

    /// A decrypted field.
    private struct OpenField {
        let read: FieldRead
        var content: FieldContent

        /// Sets the label of an L2 field, which comes from the details, because the node cannot decrypt the value.
        mutating func label(_ known: EntryView.FieldView?) {
            guard let known else { return }
            content.field.label = known.label
            content.field.kind = known.kind
        }
    }

    /// Looks up a field by key.
    private func find(_ field: FieldID, of entry: EntryID, as principal: Principal) throws -> FoundField {
        guard !field.isReserved,
            let found = try store.field(field, of: entry, in: principal.vault, for: Reader(principal))
        else { throw VaultError.noSuchField }
        return found
    }

    /// Label and kind of an L2 field in an older version of the details.
    private func pastLabel(
        of field: FieldID, _ details: StoredPart?, as principal: Principal
    ) async throws -> EntryView.FieldView? {
        guard let details else { return nil }
        let text = try DetailsText(plaintext: try details.open(by: principal.holder, root: keys.root))
        return text.fields.first { $0.id == field.text }.map {
            EntryView.FieldView(
                id: field, label: $0.label, kind: $0.kind, tier: .l2, version: details.value.place.version)
        }
    }

    /// Decrypts a field. On the hot path: opens four secret boxes.
    private func open(_ found: FoundField, as principal: Principal) throws -> OpenField {
        let part = found.value
        let place = part.value.place
        guard place.tier == .l1 else {
            try principal.authorize(.readValue, on: .field(place.tier), at: now())
            let content = FieldContent(
                field: .init(id: place.field, label: "", kind: .secret, tier: place.tier, version: place.version),
                content: .envelope(part.value.box))
            return OpenField(read: FieldRead(place: place, record: found.record, upgraded: []), content: content)
        }
        guard let aboutPart = found.about else { throw VaultError.damaged("a field without label and kind") }
        var upgraded: [Wrap] = []
        func open(_ part: StoredPart) throws -> [UInt8] {
            // A sealed key costs an X-Wing decapsulation, so it is opened once.
            let key = try part.dataKey(by: principal.holder, root: keys.root)
            if part.wrap?.isSealed == true { upgraded.append(principal.holder.wrap(key, at: part.value.place)) }
            return try part.open(with: key)
        }
        let text = try ValueText(plaintext: try open(part))
        let about = try AboutText(plaintext: try open(aboutPart))
        let content = FieldContent(
            field: .init(id: place.field, label: about.label, kind: about.kind, tier: .l1, version: place.version),
            content: .value(text.value))
        return OpenField(read: FieldRead(place: place, record: found.record, upgraded: upgraded), content: content)
    }

    /// Logs reads, and in the same commit replaces sealed wraps with symmetric ones.
    private func record(
        _ action: AuditEvent.Action, _ reads: [FieldRead], _ permit: Permit
    ) async throws {
        let principal = permit.principal
        try await rates.using(permit, uses: reads.count) {
            try principal.requireUnexpired(at: now())
            try requireUse(permit, count: reads.count)
            try operations.spend(for: principal, count: reads.count)
            var transaction = unit.transaction(for: permit, uses: reads.count, reading: reads)
            transaction.write(reads.flatMap(\.upgraded).map(Mutation.upgradeWrap))
            for place in reads.map(\.place) {
                try transaction.log(
                    principal.event(action, entry: place.entry, field: place.field, version: place.version))
            }
            try await transaction.commit()
        }
    }
}

/// A read as it is logged.
struct FieldRead {
    let place: FieldPlace
    /// The digest of the entry's record that names the reader.
    let record: StateDigest
    /// Symmetric wraps that replace sealed ones.
    let upgraded: [Wrap]
}
