package import Auth
import SQLite
package import Vault
package import VaultFormat

extension Store: AccountStore {
    package func account(emailIndex: [UInt8]) throws -> AccountRow? {
        try lookUp { db, check in
            try db.first("SELECT * FROM account WHERE email_index = ?", .blob(emailIndex)) { row in
                try check.row(row, in: .account, db)
                return try Self.account(row)
            }
        }
    }

    package func account(of vault: VaultID) throws -> AccountRow? {
        try lookUp { db, check in
            try db.first("SELECT * FROM account WHERE vault = ? AND owner <> x''", .blob(vault.bytes)) { row in
                try check.row(row, in: .account, of: vault, db)
                return try Self.account(row)
            }
        }
    }

    package func token(lookup: [UInt8]) throws -> PresentedToken? {
        // A closed node cannot commit revocations, so it authenticates no token, and even metadata is unreadable.
        if case .closed(let fault) = health.mode { throw VaultError.readOnly(fault.rawValue) }
        let presented = try present(lookup)
        // An owner may still attempt a revocation.
        if let presented, presented.agent != nil, isReadBlocked(presented.credential.vault) {
            throw VaultError.readOnly(NodeHealth.Fault.diskFull.rawValue)
        }
        return presented
    }

    private func present(_ lookup: [UInt8]) throws -> PresentedToken? {
        try lookUp { db, check in
            try db.first(
                """
                SELECT c.*, u.at AS last_used FROM credential c LEFT JOIN last_use u ON u.credential = c.id
                WHERE c.lookup = ?
                """, .blob(lookup)
            ) { row in
                try check.row(row, in: .credential, db)
                let credential = try Self.credential(row)
                guard credential.kind == .agent else { return PresentedToken(credential: credential, agent: nil) }
                // Found by another column than the key: one that is hidden opens nothing.
                let agent = try db.first("SELECT * FROM agent WHERE holder = ?", .blob(credential.holder.bytes)) {
                    agent in
                    try check.row(agent, in: .agent, of: credential.vault, db)
                    return try Self.agent(agent)
                }
                return PresentedToken(credential: credential, agent: agent)
            }
        }
    }

    package func credential(_ kind: CredentialKind, of vault: VaultID) throws -> StoredCredential? {
        try lookUp { db, check in
            let found = try db.first(
                """
                SELECT c.*, u.at AS last_used FROM credential c LEFT JOIN last_use u ON u.credential = c.id
                WHERE vault = ? AND kind = ?
                """, .blob(vault.bytes), .text(kind.rawValue)
            ) { row in
                try check.row(row, in: .credential, of: vault, db)
                return try Self.credential(row)
            }
            if found == nil { try check.complete(.credential, of: vault, db) }
            return found
        }
    }

    package func passkey(lookup: [UInt8]) throws -> StoredCredential? {
        try lookUp { db, check in
            try db.first(
                """
                SELECT c.*, u.at AS last_used FROM credential c LEFT JOIN last_use u ON u.credential = c.id
                WHERE c.lookup = ? AND c.kind = 'passkey'
                """, .blob(lookup)
            ) { row in
                try check.row(row, in: .credential, db)
                return try Self.credential(row)
            }
        }
    }

    package func kitAndPasskeys(of vault: VaultID) async throws -> [StoredCredential] {
        try await read { db, check in
            try check.complete(.credential, of: vault, db)
            return try db.all(
                """
                SELECT c.*, u.at AS last_used FROM credential c LEFT JOIN last_use u ON u.credential = c.id
                WHERE vault = ? AND kind IN ('recovery', 'passkey') ORDER BY created, id
                """, .blob(vault.bytes)
            ) { row in
                try check.row(row, in: .credential, of: vault, db)
                return try Self.credential(row)
            }
        }
    }

    package func items(of holder: HolderID, in vault: VaultID) throws -> [OwnerItem: [UInt8]] {
        try lookUp { db, check in
            let account = try check.first(
                "SELECT * FROM account WHERE vault = ?", .blob(vault.bytes), in: .account, of: vault, db
            ) { (owner: try $0.blob("owner"), items: OwnerItem.parse(try $0.text("items"))) }
            // Those of a former key holder are gone.
            guard let account, account.owner == holder.bytes else { throw VaultError.principalGone }
            let listed = account.items
            var items: [OwnerItem: [UInt8]] = [:]
            for item in listed {
                items[item] = try check.first(
                    "SELECT * FROM item WHERE id = ?", .blob(item.key(of: holder)), in: .item, of: vault, db
                ) { try $0.blob("box") }
            }
            // No other program can remove one unseen, but an operator can accept a file from which one was removed.
            guard items.count == listed.count else { throw VaultError.vaultDamaged }
            return items
        }
    }

    /// The items that the account's row lists.
    static func listedItems(of vault: VaultID, _ check: RecordCheck, _ db: Connection) throws -> Set<OwnerItem> {
        let list = try check.first(
            "SELECT * FROM account WHERE vault = ?", .blob(vault.bytes), in: .account, of: vault, db
        ) { try $0.text("items") }
        return OwnerItem.parse(list ?? "")
    }

    package func sessions(of vault: VaultID) async throws -> [StoredCredential] {
        try await read { db, check in
            try check.complete(.credential, of: vault, db)
            return try db.all(
                """
                SELECT c.*, u.at AS last_used FROM credential c LEFT JOIN last_use u ON u.credential = c.id
                WHERE vault = ? AND kind = 'session' ORDER BY created
                """, .blob(vault.bytes)
            ) { row in
                try check.row(row, in: .credential, of: vault, db)
                return try Self.credential(row)
            }
        }
    }

    package func answer(to key: [UInt8], of holder: HolderID) throws -> IdempotencyRecord? {
        try database.lookUp { db in
            try db.first(
                "SELECT box, created FROM answer WHERE holder = ? AND key = ?", .blob(holder.bytes), .blob(key)
            ) { row in
                IdempotencyRecord(
                    holder: holder, key: key, box: try row.blob("box"), created: try Self.time(row, "created"))
            }
        }
    }

    package func wraps(of holder: HolderID, after place: FieldPlace?, limit: Int) async throws -> [Wrap] {
        try await database.read { db in
            try db.all(
                """
                SELECT v.entry, v.field, v.part, v.version, v.vault, v.tier, w.is_sealed, w.box FROM wrap w
                JOIN value v ON v.entry = w.entry AND v.field = w.field AND v.part = w.part AND v.version = w.version
                WHERE w.holder = ? AND (w.entry, w.field, w.part, w.version) > (?, ?, ?, ?)
                ORDER BY w.entry, w.field, w.part, w.version LIMIT ?
                """, .blob(holder.bytes), .blob(place?.entry.bytes ?? []), .blob(place?.field.bytes ?? []),
                .part(place?.part ?? .value), .integer(place?.version ?? 0), .integer(limit)
            ) { row in
                Wrap(
                    place: try Self.place(row), holder: holder, isSealed: try row.int("is_sealed") == 1,
                    box: try row.blob("box"))
            }
        }
    }

    private static func account(_ row: Row) throws -> AccountRow {
        AccountRow(
            vault: try id(row.blob("vault")), emailIndex: try row.blob("email_index"), email: try row.blob("email"),
            kdf: KDF(
                memoryKiB: try row.int("kdf_memory"), iterations: try row.int("kdf_iterations"),
                parallelism: try row.int("kdf_parallelism")),
            salt: try row.blob("salt"), owner: try id(row.blob("owner")), auditKey: try row.blob("audit_key"),
            l2: try l2State(row), items: OwnerItem.parse(try row.text("items")), created: try time(row, "created"))
    }
}
