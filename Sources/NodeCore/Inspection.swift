import SQLite
import ServerRuntime
import Storage
import Vault
package import VaultFormat

/// Checks a database file at rest: SQLite integrity and the audit chain. Read-only.
package struct Inspection {
    package let path: String
    package let keys: NodeKeys

    package init(path: String, keys: NodeKeys) {
        self.path = path
        self.keys = keys
    }

    /// The problems found; empty when the database is intact.
    package func findings() throws -> [String] {
        let database = try Connection(path: path, access: .readOnly)
        let damage = database.checkIntegrity(.full)
        return try damage.isEmpty ? report(database).findings : damage
    }

    private func report(_ database: Connection) throws -> AuditVerification.Report {
        let stored = try Store.auditKeys(database)
        let sealer = AuditSealer(keys: keys, now: unixTime) { stored[$0] }
        return try AuditVerification(headKey: keys.auditHeadKey, root: keys.root) { try sealer.open($0) }.run(database)
    }
}
