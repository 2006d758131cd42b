/// One schema migration, applied once in its own transaction.
///
/// Deployments can be rolled back, so a migration must leave a database that the previous version can still read and
/// write: it may add tables and columns, but not drop or redefine them.
package struct Migration: Sendable {
    /// 1, 2, 3 … without gaps; stored in `PRAGMA user_version`.
    package let number: Int
    package let script: String

    package init(_ number: Int, _ script: String) {
        self.number = number
        self.script = script
    }

    /// Applies the missing migrations. A file with a newer schema stays unchanged.
    package static func apply(_ migrations: [Migration], to database: Connection) throws {
        precondition(migrations.map(\.number) == Array(1..<(migrations.count + 1)), "migrations are numbered from 1")
        let version = try database.schemaVersion
        for migration in migrations where migration.number > version {
            try database.run("BEGIN IMMEDIATE")
            do {
                try database.script(migration.script)
                try database.script("PRAGMA user_version = \(migration.number)")
                try database.run("COMMIT")
            } catch {
                database.rollBack()
                throw error
            }
        }
    }
}

extension Connection {
    /// The number of the last migration applied.
    package var schemaVersion: Int {
        get throws {
            try first("PRAGMA user_version") { $0.int(0) } ?? 0
        }
    }

    /// Changes when another connection has written (https://www.sqlite.org/pragma.html#pragma_data_version).
    package var dataVersion: Int {
        get throws {
            try first("PRAGMA data_version") { $0.int(0) } ?? 0
        }
    }
}
