import Files

/// What `BackupFolder` refuses to do. What the disk or the age format refuse comes as `SystemCallError` or `AgeError`.
package enum BackupError: Error, Equatable, Sendable {
    /// The path that is in the way: the target itself, or a file that SQLite would take for part of it.
    case targetExists(String)
    case emptyCopy
    case unfinishedTransaction
    case clockOutOfRange
    case tooManyInOneSecond
    /// Bytes of the disk that holds the folder.
    case noRoom(String, needed: Int64, free: Int64)
}

extension BackupError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .targetExists(let path):
            "\(path) exists, and a restore never replaces anything. Move it away, or restore to another path."
        case .emptyCopy:
            "The copy of the database is empty, so there was nothing to back up. Check the path of the database."
        case .unfinishedTransaction:
            """
            The database has a write-ahead log or a journal beside it, so the file alone is not complete. Close the \
            connection that wrote it before handing it over.
            """
        case .clockOutOfRange:
            "The clock shows a year before 1970 or after 9999. Set the clock; a backup is named after its time."
        case .tooManyInOneSecond:
            "There are \(BackupName.maximumNumber) backups of this second already. Is something calling in a loop?"
        case .noRoom(let folder, let needed, let free):
            """
            The disk of \(folder) has \(free >> 20) MiB free, and a backup needs \(needed >> 20): twice the database, and room \
            that stays free. Make room, or keep fewer backups.
            """
        }
    }
}
