import SQLite
import Vault
import VaultFormat

/// From columns to rows. A value that no program wrote is damage, not a crash.
extension Store {
    static func id<Kind>(_ bytes: [UInt8]) throws -> Identifier<Kind> {
        guard let id = Identifier<Kind>(bytes) else { throw VaultError.damaged("an id that is not 16 bytes") }
        return id
    }

    /// A version, which others are counted from: 1 to 2^53, so that a number in JSON holds it.
    static func version(_ row: Row, _ column: Int) throws -> Int {
        guard (1...1 << 53).contains(row.integer(column)) else {
            throw VaultError.damaged("a version that is not from 1 to 2^53")
        }
        return row.int(column)
    }

    /// Unix seconds, to and from which others are added.
    static func time(_ row: Row, _ column: Int) throws -> Int64 {
        guard (0...1 << 53).contains(row.integer(column)) else {
            throw VaultError.damaged("a time that is not from 0 to 2^53")
        }
        return row.integer(column)
    }

    static func optionalTime(_ row: Row, _ column: Int) throws -> Int64? {
        row.isNull(column) ? nil : try time(row, column)
    }

    /// Columns: entry, field, version, vault, tier.
    static func place(_ row: Row) throws -> FieldPlace {
        guard let tier = Tier(rawValue: UInt8(truncatingIfNeeded: row.integer(4))) else {
            throw VaultError.damaged("an unknown tier")
        }
        return FieldPlace(
            vault: try id(row.blob(3)), entry: try id(row.blob(0)), field: try id(row.blob(1)), tier: tier,
            version: try version(row, 2))
    }

    /// Columns: those of `place`, is_current, written, author, box, the wrap's is_sealed and box.
    static func part(_ row: Row, for holder: HolderID) throws -> StoredPart {
        let place = try place(row)
        let value = StoredValue(
            place: place, box: row.blob(8), written: try time(row, 6), author: try id(row.blob(7)))
        let wrap =
            row.isNull(9) ? nil : Wrap(place: place, holder: holder, isSealed: row.int(9) == 1, box: row.blob(10))
        return StoredPart(value: value, wrap: wrap)
    }

    static func entryRow(_ row: Row) throws -> EntryRow {
        guard let state = EntryState(rawValue: row.int(3)) else { throw VaultError.damaged("an unknown entry state") }
        return EntryRow(
            id: try id(row.blob(0)), vault: try id(row.blob(1)), version: try version(row, 2), state: state,
            created: try time(row, 4), updated: try time(row, 5), deleted: try optionalTime(row, 6),
            // For show alone: a damaged one must not keep its owner from the entry.
            depositor: row.optionalBlob(7).flatMap { Identifier($0) }, order: row.integer(8))
    }

    static func stored(_ row: EntryRow, for reader: Reader, _ db: Connection) throws -> StoredEntry {
        let (title, details) = try metadata(of: row.id, for: reader.holder, db)
        return StoredEntry(
            row: row, title: title, details: details,
            fields: reader.visibility == .wholeVault
                ? try allFields(of: row.id, for: reader.holder, db) : try heldFields(of: row.id, reader.holder, db))
    }

    /// Title and details of an entry, or an agent's record, which stands where a title does.
    static func metadata(
        of entry: EntryID, for holder: HolderID, _ db: Connection
    ) throws -> (title: StoredPart?, details: StoredPart?) {
        let parts = try db.all(
            """
            SELECT v.entry, v.field, v.version, v.vault, v.tier, v.is_current, v.written, v.author, v.box,
                w.is_sealed, w.box
            FROM value v LEFT JOIN wrap w
                ON w.holder = ? AND w.entry = v.entry AND w.field = v.field AND w.version = v.version
            WHERE v.entry = ? AND v.field <= ? AND v.is_current = 1
            """, .blob(holder.bytes), .blob(entry.bytes), .blob(FieldID.details.bytes)
        ) { try part($0, for: holder) }
        return (parts.last { $0.value.place.field == .title }, parts.last { $0.value.place.field == .details })
    }

    /// Where the current fields stand, with the holder's wraps. No value is read.
    private static func allFields(
        of entry: EntryID, for holder: HolderID, _ db: Connection
    ) throws -> [FieldID: StoredField] {
        byField(
            try db.all(
                """
                SELECT v.entry, v.field, v.version, v.vault, v.tier, w.is_sealed, w.box
                FROM value v LEFT JOIN wrap w
                    ON w.holder = ? AND w.entry = v.entry AND w.field = v.field AND w.version = v.version
                WHERE v.entry = ? AND v.field > ? AND v.is_current = 1
                """, .blob(holder.bytes), .blob(entry.bytes), .blob(FieldID.details.bytes)
            ) { try field($0, for: holder) })
    }

    /// The same of those that the holder has a wrap for.
    private static func heldFields(
        of entry: EntryID, _ holder: HolderID, _ db: Connection
    ) throws -> [FieldID: StoredField] {
        byField(
            try db.all(
                """
                SELECT v.entry, v.field, v.version, v.vault, v.tier, w.is_sealed, w.box
                FROM wrap w CROSS JOIN value v ON v.entry = w.entry AND v.field = w.field AND v.version = w.version
                WHERE w.holder = ? AND w.entry = ? AND w.field > ? AND v.is_current = 1
                """, .blob(holder.bytes), .blob(entry.bytes), .blob(FieldID.details.bytes)
            ) { try field($0, for: holder) })
    }

    private static func byField(_ fields: [StoredField]) -> [FieldID: StoredField] {
        Dictionary(fields.map { ($0.place.field, $0) }) { _, last in last }
    }

    /// Columns: those of `place`, the wrap's is_sealed and box.
    private static func field(_ row: Row, for holder: HolderID) throws -> StoredField {
        let place = try place(row)
        return StoredField(
            place: place,
            wrap: row.isNull(5)
                ? nil : Wrap(place: place, holder: holder, isSealed: row.int(5) == 1, box: row.blob(6)))
    }

    /// Columns: holder, vault, state, policy, record_version, uses, created, public_key; from `first` on.
    static func agent(_ row: Row, from first: Int = 0) throws -> StoredAgent {
        guard let state = StoredAgent.State(rawValue: row.int(first + 2)) else {
            throw VaultError.damaged("an unknown agent state")
        }
        return StoredAgent(
            holder: try id(row.blob(first)), vault: try id(row.blob(first + 1)), state: state,
            policy: row.blob(first + 3), recordVersion: try version(row, first + 4), uses: row.int(first + 5),
            created: try time(row, first + 6), publicKey: row.blob(first + 7))
    }

    /// Columns: id, vault, holder, kind, lookup, box, l2_key, created, expires, last_used.
    static func credential(_ row: Row) throws -> StoredCredential {
        guard let kind = CredentialKind(rawValue: row.text(3)) else {
            throw VaultError.damaged("an unknown kind of credential")
        }
        return StoredCredential(
            id: try id(row.blob(0)), vault: try id(row.blob(1)), holder: try id(row.blob(2)), kind: kind,
            lookup: row.optionalBlob(4), box: row.blob(5), created: try time(row, 7),
            expires: try optionalTime(row, 8), lastUsed: try time(row, 9), l2Key: row.optionalBlob(6))
    }

    static func auditLine(_ row: Row) throws -> StoredAuditLine {
        StoredAuditLine(
            sequence: row.integer(0),
            line: SealedAuditLine(
                time: try time(row, 1), vault: try row.optionalBlob(2).map { try id($0) }, body: row.blob(3)),
            hash: row.blob(4))
    }
}
