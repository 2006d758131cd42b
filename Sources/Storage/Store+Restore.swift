import SQLite
package import Vault
package import VaultFormat

/// Restoring a backup.
extension Store {
    /// Prepares a restored backup for serving: ends all sessions, suspends all agents until their owner resumes them, tells each
    /// vault's log, and begins a new epoch of the audit log, because changes after the backup are lost.
    ///
    /// - Throws: `VaultError.damaged` when the state of the file does not verify.
    package static func adoptRestored(path: String, keys: NodeKeys, audit: AuditSealer, event: AuditEvent, now: Int64)
        throws
    {
        let db = try Connection(path: path, access: .readWrite)
        try db.script("PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA synchronous = FULL;")
        try Migration.apply(Schema.migrations, to: db)
        let journal = AuditJournal(key: keys.auditHeadKey) { _ in }
        try journal.load(db)
        try journal.start(on: db)
        let vaults = try db.all("SELECT vault FROM account WHERE owner <> x''") { try id($0.blob(0)) as VaultID }
        var mutations = vaults.map { Mutation.deleteCredentials(.session, of: $0) }
        mutations += try db.all("SELECT id, vault FROM agent") { row in
            .setAgentState(try id(row.blob("id")), vault: try id(row.blob("vault")), .suspended)
        }
        let lines = try [try audit.seal(event, vault: nil)] + vaults.map { try audit.seal(event, vault: $0) }
        journal.beginEpoch(after: journal.head.epoch, at: now)
        try journal.commitAlone(on: db) {
            try perform(mutations, now, journal, db)
            try journal.append(lines, db)
        }
        try db.script("PRAGMA journal_mode = DELETE")
    }
}
