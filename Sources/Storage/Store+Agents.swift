import SQLite
package import Vault
package import VaultFormat

/// Agents, and the fields that they can open.
extension Store {
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
            // A damaged row admits no token, and must not keep the owner from ending other agents.
            try db.all(
                """
                SELECT holder, vault, state, policy, record_version, uses, created, NULL AS public_key FROM agent WHERE vault = ?
                ORDER BY created, holder
                """, .blob(vault.bytes), row: { try? Self.agent($0) }
            ).compactMap(\.self)
        }
    }
}
