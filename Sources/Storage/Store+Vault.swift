import SQLite
package import Vault
package import VaultFormat

extension Store: VaultStore {
    package func part(
        _ field: FieldID, of entry: EntryID, in vault: VaultID, for reader: Reader
    ) throws -> StoredPart? {
        try database.lookUp { db in
            guard reader.visibility == .wholeVault else {
                return try Self.grantedPart(field, of: entry, in: vault, reader.holder, db)
            }
            // The newest version decides: if the field was removed it is not current, and there is none.
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

    /// From the wrap to the value: without a wrap nothing else is looked at, whether the field is there or not.
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
        return try await database.read { db in
            // First whether the reader has anything of it: what it has not takes as long as what is not there.
            guard try reader.visibility == .wholeVault || Self.hasTitle(of: id, reader.holder, db) else { return nil }
            return try Self.entryRow(id, in: vault, db).map { try Self.stored($0, for: reader, db) }
        }
    }

    /// Entries' titles and details are in no audit line, so that nothing else stops who reads them.
    private func admitReading(_ vault: VaultID) throws {
        if isShut(vault) { throw VaultError.readOnly(NodeHealth.Fault.diskFull.rawValue) }
    }

    private static func hasTitle(of entry: EntryID, _ holder: HolderID, _ db: Connection) throws -> Bool {
        try db.first(
            "SELECT 1 FROM wrap WHERE holder = ? AND entry = ? AND field = zeroblob(16) LIMIT 1", .blob(holder.bytes),
            .blob(entry.bytes)
        ) { _ in true } ?? false
    }

    package func entryRow(_ id: EntryID, in vault: VaultID) async throws -> EntryRow? {
        try database.lookUp { try Self.entryRow(id, in: vault, $0) }
    }

    private static func entryRow(_ id: EntryID, in vault: VaultID, _ db: Connection) throws -> EntryRow? {
        try db.first(
            """
            SELECT id, vault, version, state, created, updated, deleted, depositor, ordinal
            FROM entry WHERE id = ? AND vault = ?
            """, .blob(id.bytes), .blob(vault.bytes), row: entryRow)
    }

    package func entries(
        in vault: VaultID, for reader: Reader, state: EntryState, after order: Int64, limit: PageLimit
    ) async throws -> Page<StoredEntry> {
        try admitReading(vault)
        return try await database.read { db in
            let rows = try db.all(
                """
                SELECT id, vault, version, state, created, updated, deleted, depositor, ordinal FROM entry
                WHERE vault = ? AND state = ? AND ordinal > ? AND EXISTS (
                    SELECT 1 FROM wrap w WHERE w.holder = ? AND w.entry = entry.id AND w.field = zeroblob(16))
                ORDER BY ordinal LIMIT ?
                """,
                .blob(vault.bytes), .integer(state.rawValue), .integer(order), .blob(reader.holder.bytes),
                .integer(limit.rows), row: Self.entryRow)
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
        // Two terms at most are ever asked for: a host and a tag.
        let second = terms.count > 1 ? terms[1] : first
        return try await database.read { db in
            let rows = try db.all(
                """
                SELECT id, e.vault, version, state, created, updated, deleted, depositor, ordinal
                FROM term a JOIN term b ON b.vault = a.vault AND b.entry = a.entry JOIN entry e ON e.id = a.entry
                WHERE a.vault = ? AND a.term = ? AND b.term = ? AND state = 0 AND ordinal > ?
                ORDER BY ordinal LIMIT ?
                """,
                .blob(vault.bytes), .blob(first), .blob(second), .integer(order), .integer(limit.rows),
                row: Self.entryRow)
            return try Self.page(rows, limit) {
                try Self.stored($0, for: reader, db)
            } size: {
                $0.byteCount
            }
        }
    }

    package func entryIDs(in vault: VaultID, term: [UInt8]) async throws -> [EntryID] {
        try await database.read { db in
            try db.all(
                """
                SELECT t.entry FROM term t JOIN entry e ON e.id = t.entry
                WHERE t.vault = ? AND t.term = ? AND e.state = 0
                """, .blob(vault.bytes), .blob(term)
            ) { try Self.id($0.blob(0)) }
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
        try await database.read { db in
            var readers: [FieldID: Set<HolderID>] = [:]
            try db.forEach(
                """
                SELECT w.field, w.holder FROM wrap w
                JOIN value v ON v.entry = w.entry AND v.field = w.field AND v.version = w.version
                JOIN agent a ON a.holder = w.holder
                WHERE w.entry = ? AND v.is_current = 1
                """, .blob(entry.bytes)
            ) { row in
                readers[try Self.id(row.blob("field")), default: []].insert(try Self.id(row.blob("holder")))
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

    package func readable(by holder: HolderID, after place: FieldPlace?, limit: Int) async throws -> [FieldPlace] {
        try await database.read { db in
            try db.all(
                """
                SELECT v.entry, v.field, v.version, v.vault, v.tier FROM wrap w CROSS JOIN value v
                    ON v.entry = w.entry AND v.field = w.field AND v.version = w.version
                WHERE w.holder = ? AND (w.entry, w.field) > (?, ?) AND v.is_current = 1 AND v.tier = 1
                ORDER BY w.entry, w.field LIMIT ?
                """, .blob(holder.bytes), .blob(place?.entry.bytes ?? []), .blob(place?.field.bytes ?? []),
                .integer(limit), row: Self.place)
        }
    }

    package func agents(
        of vault: VaultID, for owner: HolderID, after id: HolderID?, limit: PageLimit
    ) async throws -> Page<StoredAgent> {
        try await database.read { db in
            let rows = try db.all(
                """
                SELECT a.holder, a.vault, a.state, a.policy, a.record_version, a.uses, a.created, h.public_key
                FROM agent a JOIN holder h ON h.id = a.holder WHERE a.vault = ? AND a.holder > ?
                ORDER BY a.holder LIMIT ?
                """, .blob(vault.bytes), .blob(id?.bytes ?? []), .integer(limit.rows), row: { try Self.agent($0) })
            return try Self.page(rows, limit) {
                try Self.withRecord($0, for: owner, db)
            } size: {
                $0.policy.count + ($0.record?.value.box.count ?? 0)
            }
        }
    }

    package func agent(_ id: HolderID, of vault: VaultID, for owner: HolderID) async throws -> StoredAgent? {
        try await database.read { db in
            try db.first(
                """
                SELECT a.holder, a.vault, a.state, a.policy, a.record_version, a.uses, a.created, h.public_key
                FROM agent a JOIN holder h ON h.id = a.holder WHERE a.holder = ? AND a.vault = ?
                """, .blob(id.bytes), .blob(vault.bytes), row: { try Self.agent($0) }
            ).map { try Self.withRecord($0, for: owner, db) }
        }
    }

    package func state(of agent: HolderID, in vault: VaultID) throws -> StoredAgent.State? {
        try database.lookUp { db in
            try db.first(
                "SELECT state FROM agent WHERE holder = ? AND vault = ?", .blob(agent.bytes), .blob(vault.bytes)
            ) { StoredAgent.State(rawValue: $0.int(0)) }.flatMap(\.self)
        }
    }

    package func uses(of agent: HolderID) throws -> Int? {
        try database.lookUp { db in
            try db.first("SELECT uses FROM agent WHERE holder = ?", .blob(agent.bytes)) { $0.int(0) }
        }
    }

    package func agentRecords(_ ids: Set<HolderID>, for owner: HolderID) async throws -> [HolderID: StoredPart] {
        try await database.read { db in
            var records: [HolderID: StoredPart] = [:]
            for id in ids { records[id] = try Self.metadata(of: .record(of: id), for: owner, db).title }
            return records
        }
    }

    private static func withRecord(_ agent: StoredAgent, for owner: HolderID, _ db: Connection) throws -> StoredAgent {
        var agent = agent
        agent.record = try metadata(of: .record(of: agent.holder), for: owner, db).title
        return agent
    }

    package func agentRows(of vault: VaultID) async throws -> [StoredAgent] {
        try await database.read { db in
            // One that cannot be read lets no token in, and must not keep an owner from a change that ends others.
            try db.all(
                """
                SELECT holder, vault, state, policy, record_version, uses, created, NULL AS public_key FROM agent WHERE vault = ?
                ORDER BY created, holder
                """, .blob(vault.bytes), row: { try? Self.agent($0) }
            ).compactMap(\.self)
        }
    }

    package func usage(of vault: VaultID) async throws -> VaultUsage {
        try await database.read { try Self.usage(of: vault, $0) }
    }

    static func usage(of vault: VaultID, _ db: Connection) throws -> VaultUsage {
        let counts = try db.first(
            """
            SELECT bytes, entries, fields,
                (SELECT COUNT(*) FROM agent WHERE agent.vault = usage.vault) AS agents,
                (SELECT COUNT(*) FROM entry WHERE entry.vault = usage.vault AND state = 2) AS deposits,
                (SELECT COUNT(*) FROM credential WHERE credential.vault = usage.vault AND kind = 'session') AS sessions
            FROM usage WHERE vault = ?
            """, .blob(vault.bytes)
        ) { row in
            [
                Quota.bytes: try row.int("bytes"), .entries: try row.int("entries"), .fields: try row.int("fields"),
                .agents: try row.int("agents"), .deposits: try row.int("deposits"), .sessions: try row.int("sessions"),
            ]
        }
        return VaultUsage(counts ?? [:])
    }

    package func holders(of vault: VaultID) async throws -> [HolderRow] {
        try await database.read { db in
            try db.all(
                """
                SELECT h.id, h.vault, h.is_owner, h.public_key FROM holder h JOIN account a ON a.vault = h.vault
                WHERE h.vault = ?1 AND (h.id = a.owner OR h.id IN (SELECT holder FROM agent WHERE vault = ?1))
                """, .blob(vault.bytes)
            ) { row in
                HolderRow(
                    id: try Self.id(row.blob("id")), vault: try Self.id(row.blob("vault")),
                    isOwner: try row.int("is_owner") == 1, publicKey: try row.blob("public_key"))
            }
        }
    }

    package func hasHolder(_ id: HolderID, in vault: VaultID, policy: [UInt8]?) async throws -> Bool {
        try await database.read { db in
            try db.first(
                """
                SELECT 1 FROM holder h JOIN account a ON a.vault = h.vault
                WHERE h.id = ?1 AND h.vault = ?2 AND (
                    h.id = a.owner OR EXISTS (
                        SELECT 1 FROM agent WHERE holder = ?1 AND vault = ?2 AND state = 0
                            AND (?3 IS NULL OR policy = ?3)))
                """, .blob(id.bytes), .blob(vault.bytes), .blob(policy)
            ) { _ in true } ?? false
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
            try db.first("SELECT audit_key FROM account WHERE vault = ? AND owner <> x''", .blob(vault.bytes)) {
                $0.blob(0)
            }
        }
    }
}
