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
        try await read { db, check in
            try Self.checkHolders(of: vault, check, db)
            return try db.all(
                """
                SELECT a.vault AS principal, h.id, h.public_key FROM account a JOIN holder h ON h.id = a.owner
                WHERE a.vault = ?1
                UNION ALL
                SELECT a.id AS principal, h.id, h.public_key FROM agent a JOIN holder h ON h.id = a.holder
                WHERE a.vault = ?1
                """, .blob(vault.bytes)
            ) { row in
                HolderRow(
                    id: try Self.id(row.blob("id")), vault: vault, principal: try Self.id(row.blob("principal")),
                    publicKey: try row.blob("public_key"))
            }
        }
    }

    package func holds(_ principal: Principal) async throws -> Bool {
        try await read { db, check in
            try Self.holds(
                principal.id, principal.holder.id, in: principal.vault, session: principal.session,
                policy: principal.policyBox,
                check,
                db)
        }
    }

    /// The same for the ids alone. Reads no other rows, so that damage elsewhere does not matter.
    static func holds(
        _ principal: PrincipalID, _ holder: HolderID, in vault: VaultID, session: CredentialID?, policy: [UInt8]?,
        _ check: RecordCheck,
        _ db: Connection
    ) throws -> Bool {
        guard let session else {
            return try check.first(
                "SELECT * FROM agent WHERE id = ?", .blob(principal.bytes), in: .agent, of: vault, db
            ) { row in
                let isSame = try row.blob("holder") == holder.bytes && (policy == nil || row.blob("policy") == policy)
                return try row.int("state") == StoredAgent.State.active.rawValue && isSame
            } ?? false
        }
        let isOpen = try check.first(
            "SELECT * FROM credential WHERE id = ?", .blob(session.bytes), in: .credential, of: vault, db
        ) { try $0.blob("holder") == holder.bytes }
        let isOwner = try check.first(
            "SELECT * FROM account WHERE vault = ?", .blob(vault.bytes), in: .account, of: vault, db
        ) { try $0.blob("owner") == holder.bytes }
        return isOpen == true && isOwner == true
    }

    package func item(_ item: OwnerItem, of holder: HolderID, in vault: VaultID) throws -> [UInt8]? {
        let id = Value.blob(item.key(of: holder))
        return try lookUp { db, check in
            try check.first("SELECT * FROM item WHERE id = ?", id, in: .item, of: vault, db) { try $0.blob("box") }
        }
    }

    /// Checks the rows that tell which key holders a vault has.
    static func checkHolders(of vault: VaultID, _ check: RecordCheck, _ db: Connection) throws {
        try check.complete(.account, of: vault, db)
        try check.complete(.agent, of: vault, db)
        try db.forEach("SELECT * FROM account WHERE vault = ?", .blob(vault.bytes)) {
            try check.row($0, in: .account, of: vault, db)
        }
        try db.forEach("SELECT * FROM agent WHERE vault = ?", .blob(vault.bytes)) {
            try check.row($0, in: .agent, of: vault, db)
        }
    }

    /// Not compared with the state: the audit log of a damaged vault stays readable for its node, and a key that is not the vault's
    /// opens nothing.
    package func auditKey(of vault: VaultID) throws -> [UInt8]? {
        try database.lookUp { db in
            try db.first("SELECT audit_key FROM account WHERE vault = ? AND owner <> x''", .blob(vault.bytes)) {
                $0.blob(0)
            }
        }
    }
}
