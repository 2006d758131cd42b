import Files

/// Errors of `BackupFolder`. Errors of the disk and of the age format are `SystemCallError` and `AgeError`.
package enum BackupError: Error, Equatable, Sendable {
    /// The existing path: the target itself, or a file that SQLite would treat as part of it.
    case targetExists(String)
    case emptyCopy
    case unfinishedTransaction
    case clockOutOfRange
    case tooManyInOneSecond
    /// The folder; needed and free bytes on its disk.
    case notEnoughSpace(String, needed: Int64, free: Int64)
}

extension BackupError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .targetExists(let path):
            "\(path) exists, and a restore does not replace files. Move it away, or restore to another path."
        case .emptyCopy:
            "The copy of the database is empty. Check the path of the database."
        case .unfinishedTransaction:
            """
            The database has a write-ahead log or a journal, so the file alone is incomplete. Close the connection that \
            wrote it first.
            """
        case .clockOutOfRange:
            "The clock's year must be from 1970 to 9999, because backups are named after their time. Set the clock."
        case .tooManyInOneSecond:
            "\(BackupName.maximumNumber) backups of this second exist already. Check whether something runs backups in a loop."
        case .notEnoughSpace(let folder, let needed, let free):
            """
            The disk of \(folder) has \(free >> 20) MiB free, and a backup needs \(needed >> 20) MiB: twice the \
            database and a reserve that stays free. Free disk space, or keep fewer backups.
            """
        }
    }
}
