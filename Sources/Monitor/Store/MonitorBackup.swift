import Files
import SQLite

/// Backup and restore of the monitor's database file.
package enum MonitorBackup {
    /// Writes a verified copy with mode 0600, while the serving program continues.
    ///
    /// - Throws: `SystemCallError` when `path` exists or the disk fails, the store's error, or `BackupError`.
    package static func write(_ store: MonitorStore, to path: String) async throws {
        try await place(path) { temporary in try await store.database.copy(to: temporary) }
    }

    /// Restores a copy into an empty data directory.
    ///
    /// - Throws: The same errors as `write`.
    package static func restore(_ copy: String, to path: String) async throws {
        try await place(path) { temporary in
            let source = try Connection(path: copy, access: .readOnly)
            try source.run("VACUUM INTO ?", .text(temporary))
        }
    }

    /// Writes to a temporary file and renames it when it is complete.
    private static func place(_ path: String, _ write: (_ temporary: String) async throws -> Void) async throws {
        guard !File.exists(path) else { throw BackupError.alreadyExists(path) }
        let temporary = "\(path).new"
        File.remove(temporary)
        do {
            // SQLite keeps the mode of an existing file.
            _ = try OpenFile(creating: temporary)
            try await write(temporary)
            let made = try Connection(path: temporary, access: .readOnly)
            let isOurs = try made.first("SELECT 1 FROM sqlite_schema WHERE name = 'incident'") { _ in true } ?? false
            guard isOurs else { throw BackupError.notADatabase }
            let damage = made.checkIntegrity(.full)
            guard damage.isEmpty else { throw BackupError.damaged(damage.joined(separator: "; ")) }
            try OpenFile(reading: temporary).synchronize()
            try File.move(temporary, to: path)
        } catch {
            File.remove(temporary)
            throw error
        }
    }
}
