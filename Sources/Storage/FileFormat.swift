import SQLite
import Vault

/// The format of a database, marked in its header (https://www.sqlite.org/pragma.html#pragma_application_id).
enum FileFormat {
    /// "cla2".
    static let applicationID = 0x636c_6132

    /// - Throws: `VaultError.otherFormat` for a database of format 1, which had no mark.
    static func check(_ db: Connection) throws {
        guard try db.first("PRAGMA application_id", row: { $0.int(0) }) == applicationID else {
            throw VaultError.otherFormat
        }
    }
}
