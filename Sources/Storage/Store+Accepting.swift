import SQLite
package import Vault
package import VaultFormat

/// Accepting a damaged vault.
extension Store {
    /// Makes a vault's records in the file the ones that count, ends its sessions and suspends its agents: whoever wrote to the file may
    /// have put any of them there.
    ///
    /// - Throws: `VaultError.damaged` when the file has no account with this vault.
    package func acceptRecords(of vault: VaultID, audit: AuditSealer, reason: String) async throws {
        let event = AuditEvent(.auditAccept, by: .init(.operator_), subject: vault.text, reason: reason)
        let lines = [try audit.seal(event, vault: vault), try audit.seal(event, vault: nil)]
        let time = now()
        try await database.write { [journal] db in
            let isThere = try db.first("SELECT 1 FROM account WHERE vault = ? AND owner <> x''", .blob(vault.bytes)) {
                _ in
                true
            }
            guard isThere != nil else {
                throw VaultError.damaged("there is no account of this vault; restore a backup")
            }
            try journal.accept(vault, db)
            try Self.perform(.deleteCredentials(.session, of: vault), time, journal, db)
            try db.run(
                "UPDATE agent SET state = ? WHERE vault = ?", .integer(StoredAgent.State.suspended.rawValue),
                .blob(vault.bytes))
            try journal.append(lines, db)
        }
    }

    /// Vaults whose records are not those of their state, with what was found.
    package func damagedVaults() async throws -> [VaultID: String] {
        var damaged: [VaultID: String] = [:]
        for vault in journal.memory.vaults {
            do {
                try await read { db, check in try check.complete(.account, of: vault, db) }
            } catch VaultError.vaultDamaged {
                damaged[vault] = journal.memory.damage(of: vault)
            }
        }
        return damaged
    }
}
