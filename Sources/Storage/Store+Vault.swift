import SQLite
package import Vault
package import VaultFormat

extension Store: VaultStore {
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

    package func item(_ item: OwnerItem, of holder: HolderID) throws -> [UInt8]? {
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
