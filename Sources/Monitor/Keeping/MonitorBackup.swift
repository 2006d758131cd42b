import Files
import SQLite

/// A copy of the monitor's file as it is at one moment, and the way back.
package enum MonitorBackup {
    /// Writes a copy, with mode 0600, that was read through once. The program that serves the file goes on meanwhile.
    ///
    /// - Throws: `SystemCallError` when something stands at `path` or the disk refuses, the store's error, `BackupRefusal`.
    package static func write(_ store: MonitorStore, to path: String) async throws {
        try await place(path) { temporary in try await store.database.copy(to: temporary) }
    }

    /// Makes the file of an empty data directory of a copy.
    ///
    /// - Throws: The same.
    package static func restore(_ copy: String, to path: String) async throws {
        try await place(path) { temporary in
            let source = try Connection(path: copy, access: .readOnly)
            try source.run("VACUUM INTO ?", .text(temporary))
        }
    }

    /// Appears under its name when it is whole.
    private static func place(_ path: String, _ write: (_ temporary: String) async throws -> Void) async throws {
        guard !File.exists(path) else { throw BackupRefusal.isThere(path) }
        let temporary = "\(path).new"
        File.remove(temporary)
        do {
            // SQLite keeps the mode of a file that is there.
            _ = try OpenFile(creating: temporary)
            try await write(temporary)
            let made = try Connection(path: temporary, access: .readOnly)
            let isOurs = try made.first("SELECT 1 FROM sqlite_schema WHERE name = 'incident'") { _ in true } ?? false
            guard isOurs else { throw BackupRefusal.isNone }
            let damage = made.checkIntegrity(.full)
            guard damage.isEmpty else { throw BackupRefusal.isDamaged(damage.joined(separator: "; ")) }
            try OpenFile(reading: temporary).synchronize()
            try File.move(temporary, to: path)
        } catch {
            File.remove(temporary)
            throw error
        }
    }
}

package enum BackupRefusal: Error, Equatable, CustomStringConvertible, Sendable {
    case isThere(String)
    case isNone
    case isDamaged(String)

    package var description: String {
        switch self {
        case .isThere(let path): "\(path) is there already, and is not written over."
        case .isNone: "It is no copy of a monitor's file."
        case .isDamaged(let findings): "The copy is damaged: \(findings)"
        }
    }
}
