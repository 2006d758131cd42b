import SQLite
package import Vault
package import VaultFormat

/// The keys of L2 values, which the node cannot open, and these values.
extension Store {
    package func l2State(of vault: VaultID) throws -> L2State? {
        try lookUp { db, check in
            let state = try check.first(
                "SELECT * FROM account WHERE vault = ?", .blob(vault.bytes), in: .account, of: vault, db
            ) { row -> L2State? in
                try row.blob("owner").isEmpty ? nil : Self.l2State(row)
            }
            return state ?? nil
        }
    }

    /// Columns: those of `account`.
    static func l2State(_ row: Row) throws -> L2State {
        L2State(generation: try generation(row, "l2_generation"), previous: try row.optionalBlob("l2_previous"))
    }

    private static func generation(_ row: Row, _ column: String) throws -> Int {
        let generation = try row.int(column)
        guard L2Key.generations.contains(generation) else {
            throw VaultError.damaged("a generation that is not from 1 to 2^32 - 1")
        }
        return generation
    }

    package func l2Entry(_ id: EntryID, in vault: VaultID) throws -> L2EntryRow? {
        try lookUp { db, check in try Self.l2Entry(id, in: vault, check, db) }
    }

    static func l2Entry(
        _ id: EntryID, in vault: VaultID, _ check: RecordCheck, _ db: Connection
    ) throws -> L2EntryRow? {
        try check.first(
            "SELECT * FROM l2_entry WHERE entry = ?", .blob(id.bytes), in: .l2Entry, of: vault, db
        ) { try l2Entry($0) }
    }

    /// Columns: those of `l2_entry`.
    private static func l2Entry(_ row: Row) throws -> L2EntryRow {
        guard let number = UInt32(exactly: try row.integer("k")), number > 0 else {
            throw VaultError.damaged("an L2 key's number that is not from 1 to 2^32 - 1")
        }
        return L2EntryRow(
            entry: try id(row.blob("entry")), vault: try id(row.blob("vault")), number: number,
            generation: try generation(row, "g"), box: try row.blob("box"))
    }

    package func l2Entries(
        of vault: VaultID, before generation: Int, after last: EntryID?, limit: Int
    ) async throws -> Page<EntryID> {
        try await read { db, check in
            // One that is hidden would stay under the old key.
            if last == nil { try check.complete(.l2Entry, of: vault, db) }
            let ids = try db.all(
                "SELECT * FROM l2_entry WHERE vault = ? AND g < ? AND entry > ? ORDER BY entry LIMIT ?",
                .blob(vault.bytes), .integer(generation), .blob(last?.bytes ?? []), .integer(limit)
            ) { row in
                try check.row(row, in: .l2Entry, of: vault, db)
                return try Self.l2Entry(row).entry
            }
            return Page(items: ids, hasMore: ids.count == limit)
        }
    }

    package func l2Values(
        of entry: EntryID, in vault: VaultID, after last: L2Version?, limit: PageLimit
    ) async throws -> Page<L2StoredValue> {
        try await read { db, check in
            guard let recorded = try Self.recordedEntry(entry, in: vault, check, db) else {
                return Page(items: [], hasMore: false)
            }
            let versions = try Self.versions(of: recorded, db).filter { version in
                version.tier == .l2
                    && last.map { ($0.field, $0.version) < (version.id.field, version.version) } ?? true
            }
            return try Self.page(Array(versions.prefix(limit.rows)), limit) { version in
                // L2 values have no wraps.
                let part = try Self.part(version, of: recorded, for: try Self.id(vault.bytes), db)
                return L2StoredValue(
                    value: part.value, isCurrent: recorded.record.part(version.id)?.value == version)
            } size: {
                $0.value.box.count
            }
        }
    }

    package func l2Sizes(of entry: EntryID, in vault: VaultID) async throws -> [L2ValueSize] {
        try await read { db, check in
            guard let recorded = try Self.recordedEntry(entry, in: vault, check, db) else { return [] }
            let versions = Set(try Self.versions(of: recorded, db).filter { $0.tier == .l2 })
            let counts: [L2Version: Int] = Dictionary(
                try db.all(
                    "SELECT field, version, length(box) AS count FROM value WHERE entry = ? AND part = 0 AND tier = 2",
                    .blob(entry.bytes)
                ) { row in
                    (
                        L2Version(field: try Self.id(row.blob("field")), version: try Self.version(row, "version")),
                        try row.int("count")
                    )
                }
            ) { first, _ in first }
            return versions.sorted { ($0.id, $0.version) < ($1.id, $1.version) }.map { version in
                L2ValueSize(
                    place: recorded.place(of: version), isCurrent: recorded.record.part(version.id)?.value == version,
                    count: counts[L2Version(field: version.id.field, version: version.version)] ?? 0)
            }
        }
    }

    /// Forgets the previous l2Key when all entries have the present generation.
    static func finishL2Rekey(of vault: VaultID, _ check: RecordCheck, _ db: Connection) throws {
        let present = try check.first(
            "SELECT * FROM account WHERE vault = ?", .blob(vault.bytes), in: .account, of: vault, db
        ) { row in try l2State(row) }
        guard let present, present.previous != nil else { return }
        let rest = try db.first(
            "SELECT 1 FROM l2_entry WHERE vault = ? AND g < ? LIMIT 1", .blob(vault.bytes), .integer(present.generation)
        ) { _ in true }
        guard rest == nil else { return }
        // Once, at the end: none is hidden or has another generation than it was given.
        try check.complete(.l2Entry, of: vault, db)
        try db.forEach("SELECT * FROM l2_entry WHERE vault = ?", .blob(vault.bytes)) {
            try check.row($0, in: .l2Entry, of: vault, db)
        }
        try db.run("UPDATE account SET l2_previous = NULL WHERE vault = ?", .blob(vault.bytes))
    }
}
