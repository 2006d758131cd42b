import SQLite
package import Vault
package import VaultFormat

/// Accepting a damaged vault.
extension Store {
    /// Makes a vault's records in the file the ones that count, ends its sessions and suspends its agents: whoever wrote to the file may
    /// have put any of them there.
    ///
    /// - Returns: False when the node has no such vault: then only a state that another program wrote was removed.
    /// - Throws: `VaultError.damaged` when the vault's account is missing.
    package func acceptRecords(of vault: VaultID, audit: AuditSealer, reason: String) async throws -> Bool {
        guard journal.memory.state(of: vault) != nil else {
            let event = AuditEvent(.auditAccept, by: .init(.operator_), subject: vault.text, reason: reason)
            let line = try audit.seal(event, vault: nil)
            try await database.write { [journal] db in
                try StoredState.put(nil, of: vault, db)
                try journal.append([line], db)
            }
            return false
        }
        guard try auditKey(of: vault) != nil else {
            throw VaultError.damaged("there is no account of this vault; restore a backup")
        }
        let event = AuditEvent(.auditAccept, by: .init(.operator_), subject: vault.text, reason: reason)
        let lines = [try audit.seal(event, vault: vault), try audit.seal(event, vault: nil)]
        let time = now()
        try await database.write { [journal] db in
            try journal.accept(vault, db)
            try Self.rebuildEntryRecords(of: vault, db)
            try Self.perform([.deleteCredentials(.session, of: vault)], time, journal, db)
            try db.run(
                "UPDATE agent SET state = ? WHERE vault = ?", .integer(StoredAgent.State.suspended.rawValue),
                .blob(vault.bytes))
            try journal.append(lines, db)
        }
        return true
    }

    /// Makes each entry's record name the rows that the file has.
    private static func rebuildEntryRecords(of vault: VaultID, _ db: Connection) throws {
        let agents = try agentsByHolder(of: vault, db)
        let entries = try db.all("SELECT id, record FROM entry WHERE vault = ?", .blob(vault.bytes)) { row in
            (id: try id(row.blob("id")) as EntryID, record: try row.blob("record"))
        }
        for entry in entries {
            let record = try EntryRecord(rowsOf: entry.id, agents: agents, db)
            if record.bytes != entry.record { try EntryEdits.write(record, of: entry.id, db) }
        }
    }

    /// Vaults whose records are not those of their state, with what was found.
    package func damagedVaults() async throws -> [VaultID: String] {
        for vault in journal.memory.vaults {
            do {
                try await read { db, check in try check.complete(.account, of: vault, db) }
            } catch VaultError.vaultDamaged {
                // Noted.
            }
        }
        return journal.memory.damaged
    }
}
