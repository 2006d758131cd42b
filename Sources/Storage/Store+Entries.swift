import SQLite
package import Vault
package import VaultFormat

/// Entries, their values and their history.
extension Store {
    package func part(
        _ part: PartID, of entry: EntryID, in vault: VaultID, for reader: Reader
    ) throws -> StoredPart? {
        try lookUp { db, check in try Self.named(part, of: entry, in: vault, for: reader, check, db)?.part }
    }

    package func field(
        _ field: FieldID, of entry: EntryID, in vault: VaultID, for reader: Reader
    ) throws -> FoundField? {
        try lookUp { db, check in
            guard let (entry, value) = try Self.named(PartID(field), of: entry, in: vault, for: reader, check, db)
            else { return nil }
            let about = entry.part(PartID(field, .about), for: reader)
            return FoundField(
                value: value, about: try about.map { try Self.part($0, of: entry, for: reader.holder, db) },
                record: entry.digest)
        }
    }

    /// Reads an entry with a part that its record names for the reader.
    private static func named(
        _ part: PartID, of entry: EntryID, in vault: VaultID, for reader: Reader, _ check: RecordCheck, _ db: Connection
    ) throws -> (entry: RecordedEntry, part: StoredPart)? {
        // For an agent without a wrap nothing else is read, so that the time does not reveal whether the field exists.
        guard try reader.visibility == .wholeVault || hasWrap(of: part, in: entry, reader.holder, db),
            let entry = try recordedEntry(entry, in: vault, check, db), let named = entry.part(part, for: reader)
        else { return nil }
        return (entry, try self.part(named, of: entry, for: reader.holder, db))
    }

    package func part(
        _ part: PartID, of entry: EntryID, in vault: VaultID, for holder: HolderID, notAfter version: Int
    ) async throws -> StoredPart? {
        try await read { db, check in
            guard let entry = try Self.recordedEntry(entry, in: vault, check, db) else { return nil }
            let versions = try Self.versions(of: entry, db).filter { $0.id == part && $0.version <= version }
            guard let newest = versions.max(by: { $0.version < $1.version }) else { return nil }
            return try Self.part(newest, of: entry, for: holder, db)
        }
    }

    package func entry(_ id: EntryID, in vault: VaultID, for reader: Reader) async throws -> StoredEntry? {
        try admitReading(vault)
        return try await read { db, check in
            // Checks the reader's wrap first, so that the time does not reveal whether an entry exists that it cannot read.
            guard try reader.visibility == .wholeVault || Self.hasWrap(of: .title, in: id, reader.holder, db),
                let entry = try Self.recordedEntry(id, in: vault, check, db), entry.part(.title, for: reader) != nil
            else { return nil }
            return try Self.stored(entry, for: reader, check, db)
        }
    }

    /// Refuses metadata reads, which write no audit line and therefore fail by no other check.
    private func admitReading(_ vault: VaultID) throws {
        if isReadBlocked(vault) { throw VaultError.readOnly(NodeHealth.Fault.diskFull.rawValue) }
    }

    private static func hasWrap(
        of part: PartID, in entry: EntryID, _ holder: HolderID, _ db: Connection
    ) throws -> Bool {
        try db.first(
            "SELECT 1 FROM wrap WHERE holder = ? AND entry = ? AND field = ? AND part = ? LIMIT 1",
            .blob(holder.bytes), .blob(entry.bytes), .blob(part.field.bytes), .part(part.part)
        ) { _ in true } ?? false
    }

    package func entryRow(_ id: EntryID, in vault: VaultID) throws -> EntryRow? {
        try lookUp { db, check in try Self.recordedEntry(id, in: vault, check, db)?.row }
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
                try RecordedEntry(row, try check.row(row, in: .entry, of: vault, db))
            }
            return try Self.page(rows, limit) { entry in
                guard entry.part(.title, for: reader) != nil else { return nil }
                return try Self.stored(entry, for: reader, check, db)
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
                try RecordedEntry(row, try check.row(row, in: .entry, of: vault, db))
            }
            return try Self.page(rows, limit) { entry in
                guard entry.record.contains(term: first), entry.record.contains(term: second) else { return nil }
                return try Self.stored(entry, for: reader, check, db)
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
                try RecordedEntry(row, try check.row(row, in: .entry, of: vault, db))
            }.filter { $0.record.contains(term: term) }.map(\.row.id)
        }
    }

    package func history(
        of entry: EntryID, in vault: VaultID
    ) async throws -> [(place: FieldPlace, at: Int64, by: PrincipalID)] {
        try await read { db, check in
            guard let recorded = try Self.recordedEntry(entry, in: vault, check, db) else { return [] }
            return try Self.versions(of: recorded, db).sorted { $0.version < $1.version }.map { version in
                (place: recorded.place(of: version), at: version.written, by: version.author)
            }
        }
    }

    package func superseded(
        in entry: EntryID, before version: Int, owners: Int, by author: PrincipalID?, limit: Int
    ) async throws -> [FieldPlace] {
        guard version > 1 else { return [] }
        return try await database.read { db in
            try db.all(
                """
                WITH authors AS MATERIALIZED (
                    SELECT DISTINCT author AS id, EXISTS (SELECT 1 FROM value r WHERE r.entry = x.author) AS is_agent
                    FROM value x WHERE entry = ?1)
                SELECT v.entry, v.field, v.part, v.version, v.vault, v.tier FROM value v JOIN authors a ON a.id = v.author
                WHERE v.entry = ?1 AND v.is_current = 0 AND v.version < ?2 AND EXISTS (
                    SELECT 1 FROM value n WHERE n.entry = v.entry AND n.field = v.field AND n.part = v.part
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

    package func readers(of entry: EntryID, in vault: VaultID) async throws -> [PartID: Set<PrincipalID>] {
        try await read { db, check in
            guard let recorded = try Self.recordedEntry(entry, in: vault, check, db) else { return [:] }
            let readers = try recorded.contents.parts.mapValues(\.readers)
            // The record may name agents that were revoked since.
            let present = try readers.values.reduce(into: Set<PrincipalID>()) { $0.formUnion($1) }.filter { agent in
                try check.first(
                    "SELECT * FROM agent WHERE id = ?", .blob(agent.bytes), in: .agent, of: vault, db
                ) { _ in true } ?? false
            }
            return readers.mapValues { $0.intersection(present) }.filter { !$0.value.isEmpty }
        }
    }
}
