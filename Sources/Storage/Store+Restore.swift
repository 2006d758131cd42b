import SQLite
package import Vault
package import VaultFormat

/// Restoring a backup.
extension Store {
    /// Prepares a restored backup for serving: ends all sessions, suspends all agents until their owner resumes them, and begins
    /// a new epoch of the audit log, because changes after the backup are lost.
    package static func adoptRestored(path: String, keys: NodeKeys, line: SealedAuditLine) throws {
        let db = try Connection(path: path, access: .readWrite)
        try db.script("PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA synchronous = FULL;")
        try Migration.apply(Schema.migrations, to: db)
        try db.run("BEGIN IMMEDIATE")
        var head = try AuditJournal.readHead(db, key: keys.auditHeadKey)
        head.epoch += 1
        head.chain.append(line)
        try db.run(
            "INSERT INTO audit (sequence, time, vault, body, hash) VALUES (?, ?, NULL, ?, ?)",
            .integer(head.chain.sequence), .integer(line.time), .blob(line.body), .blob(head.chain.hash))
        try AuditJournal.writeHead(head, key: keys.auditHeadKey, db)
        try db.run("DELETE FROM credential WHERE kind = 'session'")
        try db.run("UPDATE agent SET state = ?", .integer(StoredAgent.State.suspended.rawValue))
        try db.run("COMMIT")
        try db.script("PRAGMA journal_mode = DELETE")
    }
}
