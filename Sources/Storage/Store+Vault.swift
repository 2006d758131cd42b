import SQLite
package import Vault

extension Store: VaultStore {
    package func part(
        _ field: FieldID, of entry: EntryID, in vault: VaultID, for holder: HolderID
    ) throws -> StoredPart? {
        try database.lookUp { db in
            // The newest version decides: if the field was removed it is not current, and there is none.
            try db.first(
                """
                SELECT v.entry, v.field, v.version, v.vault, v.tier, v.is_current, v.written, v.author, v.box,
                    w.is_sealed, w.box
                FROM value v LEFT JOIN wrap w
                    ON w.holder = ? AND w.entry = v.entry AND w.field = v.field AND w.version = v.version
                WHERE v.entry = ? AND v.field = ? ORDER BY v.version DESC LIMIT 1
                """,
                .blob(holder.bytes), .blob(entry.bytes), .blob(field.bytes)
            ) { row in
                let part = try Self.part(row, for: holder)
                return row.int(5) == 1 && part.value.place.vault == vault ? part : nil
            } ?? nil
        }
    }

    package func part(
        _ field: FieldID, of entry: EntryID, in vault: VaultID, for holder: HolderID, notAfter version: Int
    ) async throws -> StoredPart? {
        try await database.read { db in
            try db.first(
                """
                SELECT v.entry, v.field, v.version, v.vault, v.tier, v.is_current, v.written, v.author, v.box,
                    w.is_sealed, w.box
                FROM value v LEFT JOIN wrap w
                    ON w.holder = ? AND w.entry = v.entry AND w.field = v.field AND w.version = v.version
                WHERE v.entry = ? AND v.field = ? AND v.version <= ? AND v.vault = ?
                ORDER BY v.version DESC LIMIT 1
                """,
                .blob(holder.bytes), .blob(entry.bytes), .blob(field.bytes), .integer(version), .blob(vault.bytes)
            ) { try Self.part($0, for: holder) }
        }
    }

    package func entry(_ id: EntryID, in vault: VaultID, for holder: HolderID) async throws -> StoredEntry? {
        try await database.read { db in
            try db.first(
                """
                SELECT id, vault, version, state, created, updated, deleted, depositor, ordinal
                FROM entry WHERE id = ? AND vault = ?
                """, .blob(id.bytes), .blob(vault.bytes), row: Self.entryRow
            ).map { try Self.stored($0, for: holder, db) }
        }
    }

    package func entries(
        in vault: VaultID, for holder: HolderID, state: EntryState, after order: Int64, limit: Int
    ) async throws -> [StoredEntry] {
        try await database.read { db in
            try db.all(
                """
                SELECT id, vault, version, state, created, updated, deleted, depositor, ordinal FROM entry
                WHERE vault = ? AND state = ? AND ordinal > ? AND EXISTS (
                    SELECT 1 FROM wrap w WHERE w.holder = ? AND w.entry = entry.id AND w.field = zeroblob(16))
                ORDER BY ordinal LIMIT ?
                """,
                .blob(vault.bytes), .integer(state.rawValue), .integer(order), .blob(holder.bytes), .integer(limit),
                row: Self.entryRow
            ).map { try Self.stored($0, for: holder, db) }
        }
    }

    package func entries(
        in vault: VaultID, for holder: HolderID, terms: [[UInt8]], after order: Int64, limit: Int
    ) async throws -> [StoredEntry] {
        guard let first = terms.first else { return [] }
        // Two terms at most are ever asked for: a host and a tag.
        let second = terms.count > 1 ? terms[1] : first
        return try await database.read { db in
            try db.all(
                """
                SELECT id, e.vault, version, state, created, updated, deleted, depositor, ordinal
                FROM term a JOIN term b ON b.vault = a.vault AND b.entry = a.entry JOIN entry e ON e.id = a.entry
                WHERE a.vault = ? AND a.term = ? AND b.term = ? AND state = 0 AND ordinal > ?
                ORDER BY ordinal LIMIT ?
                """,
                .blob(vault.bytes), .blob(first), .blob(second), .integer(order), .integer(limit),
                row: Self.entryRow
            ).map { try Self.stored($0, for: holder, db) }
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
                (place: try Self.place(row), at: row.integer(5), by: try Self.id(row.blob(6)))
            }
        }
    }

    package func readers(of entry: EntryID) async throws -> [FieldID: Set<HolderID>] {
        try await database.read { db in
            var readers: [FieldID: Set<HolderID>] = [:]
            try db.forEach(
                """
                SELECT w.field, w.holder FROM wrap w
                JOIN value v ON v.entry = w.entry AND v.field = w.field AND v.version = w.version
                JOIN holder h ON h.id = w.holder
                WHERE w.entry = ? AND v.is_current = 1 AND h.is_owner = 0
                """, .blob(entry.bytes)
            ) { row in
                readers[try Self.id(row.blob(0)), default: []].insert(try Self.id(row.blob(1)))
            }
            return readers
        }
    }

    package func places(of holder: HolderID) async throws -> Set<FieldPlace> {
        try await database.read { db in
            Set(
                try db.all(
                    """
                    SELECT v.entry, v.field, v.version, v.vault, v.tier FROM wrap w
                    JOIN value v ON v.entry = w.entry AND v.field = w.field AND v.version = w.version
                    WHERE w.holder = ? AND v.is_current = 1
                    """, .blob(holder.bytes), row: Self.place))
        }
    }

    package func agents(of vault: VaultID, for owner: HolderID) async throws -> [StoredAgent] {
        try await database.read { db in
            let agents = try db.all(
                """
                SELECT a.holder, a.vault, a.state, a.policy, a.record_version, a.uses, a.created, h.public_key
                FROM agent a JOIN holder h ON h.id = a.holder WHERE a.vault = ? ORDER BY a.created, a.holder
                """, .blob(vault.bytes), row: { try Self.agent($0) })
            return try agents.map { agent in
                var agent = agent
                agent.record = try Self.parts(of: .record(of: agent.holder), for: owner, db)[.title]
                return agent
            }
        }
    }

    package func holders(of vault: VaultID) async throws -> [HolderRow] {
        try await database.read { db in
            try db.all(
                """
                SELECT h.id, h.vault, h.is_owner, h.public_key FROM holder h JOIN account a ON a.vault = h.vault
                WHERE h.vault = ? AND (h.is_owner = 0 OR h.id = a.owner)
                """, .blob(vault.bytes)
            ) { row in
                HolderRow(
                    id: try Self.id(row.blob(0)), vault: try Self.id(row.blob(1)), isOwner: row.int(2) == 1,
                    publicKey: row.blob(3))
            }
        }
    }

    package func item(_ item: OwnerItem, of holder: HolderID) async throws -> [UInt8]? {
        try database.lookUp { db in
            try db.first(
                "SELECT box FROM item WHERE holder = ? AND name = ?", .blob(holder.bytes), .text(item.rawValue)
            ) { $0.blob(0) }
        }
    }

    package func hasCredential(_ id: CredentialID) throws -> Bool {
        try database.lookUp { db in
            try db.first("SELECT 1 FROM credential WHERE id = ?", .blob(id.bytes)) { _ in true } ?? false
        }
    }

    package func auditKey(of vault: VaultID) throws -> [UInt8]? {
        try database.lookUp { db in
            try db.first("SELECT audit_key FROM account WHERE vault = ?", .blob(vault.bytes)) { $0.blob(0) }
        }
    }

    package func auditLines(
        of vault: VaultID, before sequence: Int64?, limit: Int
    ) async throws -> [StoredAuditLine] {
        try await database.read { db in
            try db.all(
                """
                SELECT sequence, time, vault, body, hash FROM audit WHERE vault = ? AND sequence < ?
                ORDER BY sequence DESC LIMIT ?
                """,
                .blob(vault.bytes), .integer(sequence ?? .max), .integer(limit), row: Self.auditLine)
        }
    }
}
