import SQLite
import Vault
import VaultFormat

/// Decoding of rows. An invalid value is reported as damage.
extension Store {
    static func id<Kind>(_ bytes: [UInt8]) throws -> Identifier<Kind> {
        guard let id = Identifier<Kind>(bytes) else { throw VaultError.damaged("an id that is not 16 bytes") }
        return id
    }

    /// Decodes a version: 1 to 2^53, so that it fits a JSON number and can be incremented.
    static func version(_ row: Row, _ column: String) throws -> Int {
        let version = try row.int(column)
        guard (1...1 << 53).contains(version) else {
            throw VaultError.damaged("a version that is not from 1 to 2^53")
        }
        return version
    }

    /// Decodes Unix seconds, bounded so that arithmetic cannot overflow.
    static func time(_ row: Row, _ column: String) throws -> Int64 {
        let time = try row.integer(column)
        guard (0...1 << 53).contains(time) else {
            throw VaultError.damaged("a time that is not from 0 to 2^53")
        }
        return time
    }

    static func optionalTime(_ row: Row, _ column: String) throws -> Int64? {
        try row.isNull(column) ? nil : time(row, column)
    }

    static func tier(_ row: Row) throws -> Tier {
        guard let tier = Tier(rawValue: UInt8(truncatingIfNeeded: try row.integer("tier"))) else {
            throw VaultError.damaged("an unknown tier")
        }
        return tier
    }

    static func partID(_ row: Row) throws -> PartID {
        guard let part = FieldPart(rawValue: UInt8(truncatingIfNeeded: try row.integer("part"))) else {
            throw VaultError.damaged("an unknown part of a field")
        }
        return PartID(try id(row.blob("field")), part)
    }

    /// Columns: entry, field, part, version, vault, tier.
    static func place(_ row: Row) throws -> FieldPlace {
        let id = try partID(row)
        return FieldPlace(
            vault: try self.id(row.blob("vault")), entry: try self.id(row.blob("entry")), field: id.field,
            part: id.part, tier: try tier(row), version: try version(row, "version"))
    }

    /// Columns: those of `place`, written, author and box, the wrap's is_sealed and its box as wrap_box.
    static func part(_ row: Row, for holder: HolderID) throws -> StoredPart {
        let place = try place(row)
        let value = StoredValue(
            place: place, box: try row.blob("box"), written: try time(row, "written"),
            author: try id(row.blob("author")))
        return StoredPart(value: value, wrap: try wrap(row, at: place, for: holder))
    }

    /// Columns: the wrap's is_sealed and its box as wrap_box, both null when there is none.
    private static func wrap(_ row: Row, at place: FieldPlace, for holder: HolderID) throws -> Wrap? {
        guard try !row.isNull("is_sealed") else { return nil }
        return Wrap(
            place: place, holder: holder, isSealed: try row.int("is_sealed") == 1, box: try row.blob("wrap_box"))
    }

    static func entryRow(_ row: Row) throws -> EntryRow {
        guard let state = EntryState(rawValue: try row.int("state")) else {
            throw VaultError.damaged("an unknown entry state")
        }
        return EntryRow(
            id: try id(row.blob("id")), vault: try id(row.blob("vault")), version: try version(row, "version"),
            state: state, created: try time(row, "created"), updated: try time(row, "updated"),
            deleted: try optionalTime(row, "deleted"),
            // Only displayed, so a damaged one must not make the entry unreadable.
            depositor: try row.optionalBlob("depositor").flatMap { Identifier($0) }, order: try row.integer("ordinal"))
    }

    /// The parts of an entry that its record names for the reader.
    static func stored(
        _ entry: RecordedEntry, for reader: Reader, _ check: RecordCheck, _ db: Connection
    ) throws -> StoredEntry {
        let named = try entry.parts(for: reader)
        let (title, details) = try metadata(of: entry.row.id, for: reader.holder, db)
        let metadata = [PartID.title: title, .details: details]
        for (part, stored) in metadata where named[part] != stored?.value.partVersion {
            // Details are nobody's but the owner's; of an agent's wraps the title's has been looked up.
            guard named[part] == nil else { throw entry.mismatch("title or details are missing or others") }
        }
        let rows =
            try reader.visibility == .wholeVault
            ? allFields(of: entry.row.id, for: reader.holder, db) : heldFields(of: entry.row.id, reader.holder, db)
        let held = rows.filter { field in
            guard let part = named[field.place.partID] else { return false }
            return part.version == field.place.version && part.tier == field.place.tier
        }
        guard held.count == named.keys.count(where: { !$0.field.isReserved }) else {
            throw entry.mismatch("fields are missing or others")
        }
        let parts = Dictionary(held.map { ($0.place.partID, $0) }) { _, last in last }
        var (fields, abouts): ([FieldID: StoredField], [FieldID: StoredField]) = ([:], [:])
        for (id, part) in parts {
            guard id.part == .about else {
                fields[id.field] = part
                continue
            }
            abouts[id.field] = part
            guard parts[PartID(id.field)] == nil else { continue }
            // An agent may know of a field whose value it may not read.
            guard let value = entry.record.part(PartID(id.field))?.value else {
                throw entry.mismatch("a field has no value")
            }
            fields[id.field] = StoredField(place: entry.place(of: value), wrap: nil)
        }
        return StoredEntry(
            row: entry.row, title: named[.title] == nil ? nil : title, details: named[.details] == nil ? nil : details,
            fields: fields, abouts: abouts,
            l2: reader.visibility == .wholeVault ? try l2Entry(entry.row.id, in: entry.row.vault, check, db) : nil)
    }

    /// Reads title and details of an entry, or an agent's record, which is stored in the title's field.
    static func metadata(
        of entry: EntryID, for holder: HolderID, _ db: Connection
    ) throws -> (title: StoredPart?, details: StoredPart?) {
        let parts = try db.all(
            """
            SELECT v.entry, v.field, v.part, v.version, v.vault, v.tier, v.is_current, v.written, v.author, v.box,
                w.is_sealed, w.box AS wrap_box
            FROM value v LEFT JOIN wrap w ON w.holder = ? AND w.entry = v.entry AND w.field = v.field
                AND w.part = v.part AND w.version = v.version
            WHERE v.entry = ? AND v.field <= ? AND v.is_current = 1
            """, .blob(holder.bytes), .blob(entry.bytes), .blob(FieldID.details.bytes)
        ) { try part($0, for: holder) }
        return (parts.last { $0.value.place.field == .title }, parts.last { $0.value.place.field == .details })
    }

    /// Reads the places of the fields' current parts with the key holder's wraps, without the values.
    private static func allFields(
        of entry: EntryID, for holder: HolderID, _ db: Connection
    ) throws -> [StoredField] {
        try db.all(
            """
            SELECT v.entry, v.field, v.part, v.version, v.vault, v.tier, w.is_sealed, w.box AS wrap_box
            FROM value v LEFT JOIN wrap w ON w.holder = ? AND w.entry = v.entry AND w.field = v.field
                AND w.part = v.part AND w.version = v.version
            WHERE v.entry = ? AND v.field > ? AND v.is_current = 1
            """, .blob(holder.bytes), .blob(entry.bytes), .blob(FieldID.details.bytes)
        ) { try field($0, for: holder) }
    }

    /// The same for parts that the key holder has a wrap for.
    private static func heldFields(
        of entry: EntryID, _ holder: HolderID, _ db: Connection
    ) throws -> [StoredField] {
        try db.all(
            """
            SELECT v.entry, v.field, v.part, v.version, v.vault, v.tier, w.is_sealed, w.box AS wrap_box
            FROM wrap w CROSS JOIN value v
                ON v.entry = w.entry AND v.field = w.field AND v.part = w.part AND v.version = w.version
            WHERE w.holder = ? AND w.entry = ? AND w.field > ? AND v.is_current = 1
            """, .blob(holder.bytes), .blob(entry.bytes), .blob(FieldID.details.bytes)
        ) { try field($0, for: holder) }
    }

    /// Columns: those of `place` and of `wrap`.
    private static func field(_ row: Row, for holder: HolderID) throws -> StoredField {
        let place = try place(row)
        return StoredField(place: place, wrap: try wrap(row, at: place, for: holder))
    }

    /// Columns: those of `agent`.
    ///
    /// `publicKey`: That of its key holder, where it is needed.
    static func agent(_ row: Row, publicKey: [UInt8] = []) throws -> StoredAgent {
        guard let state = StoredAgent.State(rawValue: try row.int("state")) else {
            throw VaultError.damaged("an unknown agent state")
        }
        return StoredAgent(
            id: try id(row.blob("id")), holder: try id(row.blob("holder")), vault: try id(row.blob("vault")),
            state: state,
            policy: try row.blob("policy"), recordVersion: try version(row, "record_version"),
            uses: try row.int("uses"), created: try time(row, "created"), publicKey: publicKey)
    }

    /// Columns: those of `credential` and last_used, which is NULL for one that was not used since it was made.
    static func credential(_ row: Row) throws -> StoredCredential {
        guard let kind = CredentialKind(rawValue: try row.text("kind")) else {
            throw VaultError.damaged("an unknown kind of credential")
        }
        return StoredCredential(
            id: try id(row.blob("id")), vault: try id(row.blob("vault")), holder: try id(row.blob("holder")),
            kind: kind, lookup: try row.optionalBlob("lookup"), box: try row.blob("box"),
            seal: try row.optionalBlob("seal"), created: try time(row, "created"),
            expires: try optionalTime(row, "expires"), challenged: try optionalTime(row, "challenged"),
            lastUsed: try optionalTime(row, "last_used") ?? time(row, "created"), l2Key: try row.optionalBlob("l2_key"))
    }

    static func auditLine(_ row: Row) throws -> StoredAuditLine {
        StoredAuditLine(
            sequence: try row.integer("sequence"),
            line: SealedAuditLine(
                time: try time(row, "time"), vault: try row.optionalBlob("vault").map { try id($0) },
                body: try row.blob("body"), state: try row.isNull("digest") ? nil : StoredState.state(row)),
            hash: try row.blob("hash"))
    }
}

extension Value {
    static func part(_ part: FieldPart) -> Value { .integer(Int64(part.rawValue)) }
}
