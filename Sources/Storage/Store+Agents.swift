import SQLite
package import Vault
package import VaultFormat

/// Agents, and the fields that they can open.
extension Store {
    package func places(of agent: PrincipalID, in vault: VaultID) async throws -> Set<FieldPlace> {
        try await read { db, check in
            try check.complete(.entry, of: vault, db)
            var places: Set<FieldPlace> = []
            try db.forEach("SELECT * FROM entry WHERE vault = ?", .blob(vault.bytes)) { row in
                let entry = try RecordedEntry(row, try check.row(row, in: .entry, of: vault, db))
                for part in try entry.contents.parts.values where part.readers.contains(agent) {
                    places.insert(entry.place(of: part.value))
                }
            }
            return places
        }
    }

    package func agents(
        of vault: VaultID, for owner: HolderID, after id: PrincipalID?, limit: PageLimit
    ) async throws -> Page<StoredAgent> {
        try await read { db, check in
            try check.complete(.agent, of: vault, db)
            let rows = try db.all(
                """
                SELECT a.*, h.public_key FROM agent a LEFT JOIN holder h ON h.id = a.holder
                WHERE a.vault = ? AND a.id > ? ORDER BY a.id LIMIT ?
                """, .blob(vault.bytes), .blob(id?.bytes ?? []), .integer(limit.rows)
            ) { row in
                try check.row(row, in: .agent, of: vault, db)
                return try Self.agent(row, publicKey: row.blob("public_key"))
            }
            return try Self.page(rows, limit) {
                try Self.withRecord($0, for: owner, db)
            } size: {
                $0.policy.count + ($0.record?.value.box.count ?? 0)
            }
        }
    }

    package func agent(_ id: PrincipalID, of vault: VaultID, for owner: HolderID) async throws -> StoredAgent? {
        try await read { db, check in
            let found = try check.first(
                """
                SELECT a.*, h.public_key FROM agent a LEFT JOIN holder h ON h.id = a.holder
                WHERE a.id = ? AND a.vault = ?
                """, .blob(id.bytes), .blob(vault.bytes), in: .agent, of: vault, db
            ) { try Self.agent($0, publicKey: $0.blob("public_key")) }
            return try found.map { try Self.withRecord($0, for: owner, db) }
        }
    }

    package func agentRow(_ id: PrincipalID, in vault: VaultID) throws -> StoredAgent? {
        try lookUp { db, check in
            try check.first(
                "SELECT * FROM agent WHERE id = ? AND vault = ?", .blob(id.bytes), .blob(vault.bytes), in: .agent,
                of: vault, db
            ) { try Self.agent($0) }
        }
    }

    package func agentRecords(
        _ ids: Set<PrincipalID>, for owner: HolderID
    ) async throws -> [PrincipalID: StoredPart] {
        try await database.read { db in
            var records: [PrincipalID: StoredPart] = [:]
            for id in ids { records[id] = try Self.metadata(of: .record(of: id), for: owner, db).title }
            return records
        }
    }

    /// - Throws: `VaultError.damaged` when the record is not the version that the agent's row names: an older one could have more grants.
    private static func withRecord(_ agent: StoredAgent, for owner: HolderID, _ db: Connection) throws -> StoredAgent {
        var agent = agent
        agent.record = try metadata(of: .record(of: agent.id), for: owner, db).title
        if let version = agent.record?.value.place.version, version != agent.recordVersion {
            throw VaultError.damaged("an agent's record of another version than its row names")
        }
        return agent
    }

    package func agentRows(of vault: VaultID) async throws -> [StoredAgent] {
        try await read { db, check in
            try check.complete(.agent, of: vault, db)
            return try db.all("SELECT * FROM agent WHERE vault = ? ORDER BY created, id", .blob(vault.bytes)) {
                row in
                try check.row(row, in: .agent, of: vault, db)
                return try Self.agent(row)
            }
        }
    }

    /// A vault's agents by their current key holders as the file has them.
    static func agentsByHolder(of vault: VaultID, _ db: Connection) throws -> [HolderID: PrincipalID] {
        let pairs: [(HolderID, PrincipalID)] = try db.all(
            "SELECT holder, id FROM agent WHERE vault = ?", .blob(vault.bytes)
        ) { (try id($0.blob("holder")), try id($0.blob("id"))) }
        return Dictionary(pairs) { first, _ in first }
    }
}
