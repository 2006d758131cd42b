import SQLite
import Storage
import Vault

/// Everything that can be checked about a database file at rest.
struct Inspection {
    let path: String
    let keys: NodeKeys

    func findings() async throws -> [String] {
        let database = try Database(path: path, migrations: Schema.migrations, readers: 1)
        let damage = try await database.findDamage(.full)
        guard damage.isEmpty else { return damage }
        return try await verify(database).findings
    }

    func verify(_ database: Database) async throws -> AuditVerification.Report {
        let sealer = AuditSealer(keys: keys, now: unixTime) { vault in
            try database.lookUp { db in
                try db.first("SELECT audit_key FROM account WHERE vault = ?", .blob(vault.bytes)) { $0.blob(0) }
            }
        }
        return try await AuditVerification(database, headKey: keys.auditHeadKey) { try sealer.open($0) }.run()
    }
}
