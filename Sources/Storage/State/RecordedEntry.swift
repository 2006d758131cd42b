import SQLite
import Vault
import VaultFormat

/// An entry's row with the parts that its record names. Rows of values, wraps and terms count only as far as it names them.
struct RecordedEntry {
    let row: EntryRow
    let record: EntryRecordIndex
    /// Of the row as a record.
    let digest: StateDigest

    /// Columns: those of `entry`.
    init(_ row: Row, _ digest: StateDigest) throws {
        self.digest = digest
        self.row = try Store.entryRow(row)
        guard let record = EntryRecordIndex(try row.blob("record")) else {
            throw VaultError.damaged("an entry without a valid record")
        }
        self.record = record
    }

    /// Names the current version of a part; nil when there is none that the reader may read.
    func part(_ id: PartID, for reader: Reader) -> PartVersion? {
        guard let part = record.part(id), reader.mayRead(part) else { return nil }
        return part.value
    }

    /// The current versions that the reader may read.
    func parts(for reader: Reader) throws -> [PartID: PartVersion] {
        try contents.parts.filter { reader.mayRead($0.value) }.mapValues(\.value)
    }

    var contents: EntryRecord {
        get throws {
            guard let contents = EntryRecord(record) else {
                throw VaultError.damaged("an entry without a valid record")
            }
            return contents
        }
    }

    func place(of part: PartVersion) -> FieldPlace {
        FieldPlace(
            vault: row.vault, entry: row.id, field: part.id.field, part: part.id.part, tier: part.tier,
            version: part.version)
    }

    func mismatch(_ finding: String) -> RecordMismatch {
        RecordMismatch(vault: row.vault, finding: "entry \(row.id.text): \(finding)")
    }
}

extension Reader {
    fileprivate func mayRead(_ part: EntryRecord.Part) -> Bool {
        visibility == .wholeVault || part.readers.contains(principal)
    }
}

extension StoredValue {
    var partVersion: PartVersion {
        PartVersion(
            id: place.partID, tier: place.tier, version: place.version, author: author, written: written,
            key: (try? Box.keyID(of: box)) ?? 0)
    }
}

/// Reading of entries with what their records name.
extension Store {
    static func recordedEntry(
        _ id: EntryID, in vault: VaultID, _ check: RecordCheck, _ db: Connection
    ) throws -> RecordedEntry? {
        let found = try db.first(
            "SELECT * FROM entry WHERE id = ? AND vault = ?", .blob(id.bytes), .blob(vault.bytes)
        ) { row in try RecordedEntry(row, try check.row(row, in: .entry, of: vault, db)) }
        if found == nil { try check.absent(.blob(id.bytes), in: .entry, of: vault, db) }
        return found
    }

    /// Reads a value that an entry names.
    static func part(
        _ named: PartVersion, of entry: RecordedEntry, for holder: HolderID, _ db: Connection
    ) throws -> StoredPart {
        let part = try db.first(
            """
            SELECT v.entry, v.field, v.part, v.version, v.vault, v.tier, v.written, v.author, v.box,
                w.is_sealed, w.box AS wrap_box
            FROM value v LEFT JOIN wrap w ON w.holder = ? AND w.entry = v.entry AND w.field = v.field
                AND w.part = v.part AND w.version = v.version
            WHERE v.entry = ? AND v.field = ? AND v.part = ? AND v.version = ?
            """,
            .blob(holder.bytes), .blob(entry.row.id.bytes), .blob(named.id.field.bytes), .part(named.id.part),
            .integer(named.version)
        ) { try Self.part($0, for: holder) }
        guard let part, part.value.partVersion == named, part.value.place.vault == entry.row.vault else {
            throw entry.mismatch("a value is missing or another")
        }
        return part
    }

    /// Reads all versions of an entry's values without the secret boxes, current and older ones.
    static func versions(of entry: RecordedEntry, _ db: Connection) throws -> [PartVersion] {
        let all = try versions(of: entry.row.id, db)
        guard try entry.contents.older(among: all) != nil else {
            throw entry.mismatch("its values are not those of its record")
        }
        return all
    }

    /// The same as the file has them.
    static func versions(of entry: EntryID, _ db: Connection) throws -> [PartVersion] {
        try db.all(
            "SELECT field, part, tier, version, author, written, k FROM value WHERE entry = ? ORDER BY field, part, version",
            .blob(entry.bytes)
        ) { row in
            PartVersion(
                id: try partID(row), tier: try tier(row), version: try version(row, "version"),
                author: try id(row.blob("author")), written: try time(row, "written"),
                key: UInt32(truncatingIfNeeded: try row.integer("k")))
        }
    }
}
