import SQLite
package import Vault
package import VaultFormat

/// Entries, their values and their history.
extension Store {
    package func part(
        _ field: FieldID, of entry: EntryID, in vault: VaultID, for reader: Reader
    ) throws -> StoredPart? {
        try database.lookUp { db in
            guard reader.visibility == .wholeVault else {
                return try Self.grantedPart(field, of: entry, in: vault, reader.holder, db)
            }
            // Only the newest version counts: when the field was removed it is not current.
            return try db.first(
                """
                SELECT v.entry, v.field, v.version, v.vault, v.tier, v.is_current, v.written, v.author, v.box,
                    w.is_sealed, w.box AS wrap_box
                FROM value v LEFT JOIN wrap w
                    ON w.holder = ? AND w.entry = v.entry AND w.field = v.field AND w.version = v.version
                WHERE v.entry = ? AND v.field = ? ORDER BY v.version DESC LIMIT 1
                """,
                .blob(reader.holder.bytes), .blob(entry.bytes), .blob(field.bytes)
            ) { row in
                let part = try Self.part(row, for: reader.holder)
                return try row.int("is_current") == 1 && part.value.place.vault == vault ? part : nil
            } ?? nil
        }
    }

    /// Looks up the wrap first: without one nothing else is read, so the time does not reveal whether the field exists.
    private static func grantedPart(
        _ field: FieldID, of entry: EntryID, in vault: VaultID, _ holder: HolderID, _ db: Connection
    ) throws -> StoredPart? {
        try db.first(
            """
            SELECT v.entry, v.field, v.version, v.vault, v.tier, v.is_current, v.written, v.author, v.box,
                w.is_sealed, w.box AS wrap_box
            FROM wrap w CROSS JOIN value v ON v.entry = w.entry AND v.field = w.field AND v.version = w.version
            WHERE w.holder = ? AND w.entry = ? AND w.field = ? ORDER BY w.version DESC LIMIT 1
            """,
            .blob(holder.bytes), .blob(entry.bytes), .blob(field.bytes)
        ) { row in
            let part = try Self.part(row, for: holder)
            return try row.int("is_current") == 1 && part.value.place.vault == vault ? part : nil
        } ?? nil
    }

    package func part(
        _ field: FieldID, of entry: EntryID, in vault: VaultID, for holder: HolderID, notAfter version: Int
    ) async throws -> StoredPart? {
        try await database.read { db in
            try db.first(
                """
                SELECT v.entry, v.field, v.version, v.vault, v.tier, v.is_current, v.written, v.author, v.box,
                    w.is_sealed, w.box AS wrap_box
                FROM value v LEFT JOIN wrap w
                    ON w.holder = ? AND w.entry = v.entry AND w.field = v.field AND w.version = v.version
                WHERE v.entry = ? AND v.field = ? AND v.version <= ? AND v.vault = ?
                ORDER BY v.version DESC LIMIT 1
                """,
                .blob(holder.bytes), .blob(entry.bytes), .blob(field.bytes), .integer(version), .blob(vault.bytes)
            ) { try Self.part($0, for: holder) }
        }
    }

    package func entry(_ id: EntryID, in vault: VaultID, for reader: Reader) async throws -> StoredEntry? {
        try admitReading(vault)
        return try await read { db, check in
            // Checks the reader's wrap first, so that the time does not reveal whether an entry exists that it cannot read.
            guard try reader.visibility == .wholeVault || Self.hasTitle(of: id, reader.holder, db) else { return nil }
            return try Self.entryRow(id, in: vault, check, db).map { try Self.stored($0, for: reader, db) }
        }
    }

    /// Refuses metadata reads, which write no audit line and therefore fail by no other check.
    private func admitReading(_ vault: VaultID) throws {
        if isReadBlocked(vault) { throw VaultError.readOnly(NodeHealth.Fault.diskFull.rawValue) }
    }

    private static func hasTitle(of entry: EntryID, _ holder: HolderID, _ db: Connection) throws -> Bool {
        try db.first(
            "SELECT 1 FROM wrap WHERE holder = ? AND entry = ? AND field = zeroblob(16) LIMIT 1", .blob(holder.bytes),
            .blob(entry.bytes)
        ) { _ in true } ?? false
    }

    package func entryRow(_ id: EntryID, in vault: VaultID) throws -> EntryRow? {
        try lookUp { db, check in try Self.entryRow(id, in: vault, check, db) }
    }

    static func entryRow(
        _ id: EntryID, in vault: VaultID, _ check: RecordCheck, _ db: Connection
    ) throws -> EntryRow? {
        let found = try db.first(
            "SELECT * FROM entry WHERE id = ? AND vault = ?", .blob(id.bytes), .blob(vault.bytes)
        ) { row in
            try check.row(row, in: .entry, of: vault, db)
            return try entryRow(row)
        }
        if found == nil { try check.absent(.blob(id.bytes), in: .entry, of: vault, db) }
        return found
    }

    package func entries(
        in vault: VaultID, for reader: Reader, state: EntryState, after order: Int64, limit: PageLimit
    ) async throws -> Page<StoredEntry> {
        try admitReading(vault)
        return try await read { db, check in
            // One that is hidden in another state is in that list.
            if order == 0 { try check.complete(.entry, of: vault, db) }
            let rows = try db.all(
                """
                SELECT * FROM entry
                WHERE vault = ? AND state = ? AND ordinal > ? AND EXISTS (
                    SELECT 1 FROM wrap w WHERE w.holder = ? AND w.entry = entry.id AND w.field = zeroblob(16))
                ORDER BY ordinal LIMIT ?
                """,
                .blob(vault.bytes), .integer(state.rawValue), .integer(order), .blob(reader.holder.bytes),
                .integer(limit.rows)
            ) { row in
                try check.row(row, in: .entry, of: vault, db)
                return try Self.entryRow(row)
            }
            return try Self.page(rows, limit) {
                try Self.stored($0, for: reader, db)
            } size: {
                $0.byteCount
            }
        }
    }

    package func entries(
        in vault: VaultID, for reader: Reader, terms: [[UInt8]], after order: Int64, limit: PageLimit
    ) async throws -> Page<StoredEntry> {
        try admitReading(vault)
        guard let first = terms.first else { return Page(items: [], hasMore: false) }
        // A query has at most two terms: a host and a tag.
        let second = terms.count > 1 ? terms[1] : first
        return try await read { db, check in
            let rows = try db.all(
                """
                SELECT e.* FROM term a JOIN term b ON b.vault = a.vault AND b.entry = a.entry JOIN entry e ON e.id = a.entry
                WHERE a.vault = ? AND a.term = ? AND b.term = ? AND state = 0 AND ordinal > ?
                ORDER BY ordinal LIMIT ?
                """,
                .blob(vault.bytes), .blob(first), .blob(second), .integer(order), .integer(limit.rows)
            ) { row in
                try check.row(row, in: .entry, of: vault, db)
                return try Self.entryRow(row)
            }
            return try Self.page(rows, limit) {
                try Self.stored($0, for: reader, db)
            } size: {
                $0.byteCount
            }
        }
    }

    package func entryIDs(in vault: VaultID, term: [UInt8]) async throws -> [EntryID] {
        try await read { db, check in
            try db.all(
                """
                SELECT e.* FROM term t JOIN entry e ON e.id = t.entry
                WHERE t.vault = ? AND t.term = ? AND e.state = 0
                """, .blob(vault.bytes), .blob(term)
            ) { row in
                try check.row(row, in: .entry, of: vault, db)
                return try Self.id(row.blob("id"))
            }
        }
    }

    package func history(
        of entry: EntryID, in vault: VaultID
    ) async throws -> [(place: FieldPlace, at: Int64, by: HolderID)] {
        try await database.read { db in
            try db.all(
                """
                SELECT entry, field, version, vault, tier, written, author FROM value
                WHERE entry = ? AND vault = ? ORDER BY version
                """, .blob(entry.bytes), .blob(vault.bytes)
            ) { row in
                (place: try Self.place(row), at: try Self.time(row, "written"), by: try Self.id(row.blob("author")))
            }
        }
    }

    package func superseded(
        in entry: EntryID, before version: Int, owners: Int, by author: HolderID?, limit: Int
    ) async throws -> [FieldPlace] {
        guard version > 1 else { return [] }
        return try await database.read { db in
            try db.all(
                """
                WITH authors AS MATERIALIZED (
                    SELECT DISTINCT author AS id, EXISTS (SELECT 1 FROM value r WHERE r.entry = x.author) AS is_agent
                    FROM value x WHERE entry = ?1)
                SELECT v.entry, v.field, v.version, v.vault, v.tier FROM value v JOIN authors a ON a.id = v.author
                WHERE v.entry = ?1 AND v.is_current = 0 AND v.version < ?2 AND EXISTS (
                    SELECT 1 FROM value n WHERE n.entry = v.entry AND n.field = v.field
                        AND n.version > v.version AND n.version <= ?2)
                    AND (?4 IS NULL OR v.author = ?4)
                    AND (a.is_agent OR v.version < (
                        SELECT DISTINCT o.version FROM value o JOIN authors b ON b.id = o.author
                        WHERE o.entry = ?1 AND NOT b.is_agent ORDER BY o.version DESC LIMIT 1 OFFSET ?5 - 1))
                ORDER BY v.version LIMIT ?3
                """, .blob(entry.bytes), .integer(version), .integer(limit), .blob(author?.bytes), .integer(owners),
                row: Self.place)
        }
    }

    package func readers(of entry: EntryID) async throws -> [FieldID: Set<HolderID>] {
        try await read { db, check in
            var readers: [FieldID: Set<HolderID>] = [:]
            try db.forEach(
                """
                SELECT a.*, w.field FROM wrap w
                JOIN value v ON v.entry = w.entry AND v.field = w.field AND v.version = w.version
                JOIN agent a ON a.holder = w.holder
                WHERE w.entry = ? AND v.is_current = 1
                """, .blob(entry.bytes)
            ) { row in
                try check.row(row, in: .agent, db)
                readers[try Self.id(row.blob("field")), default: []].insert(try Self.id(row.blob("holder")))
            }
            return readers
        }
    }
}
