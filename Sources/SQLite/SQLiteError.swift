/// An error of SQLite.
///
/// It has the code and the statement's text, never a bound value: statements are static strings, so the text has
/// placeholders only. The message is SQLite's own and names columns and constraints.
package struct SQLiteError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The extended result code (https://www.sqlite.org/rescode.html).
    package let code: Int32
    package let message: String
    package let sql: String

    package init(code: Int32, message: String, sql: String) {
        self.code = code
        self.message = message
        self.sql = sql
    }

    package var description: String {
        sql.isEmpty ? "SQLite \(code): \(message)" : "SQLite \(code): \(message) in: \(sql)"
    }

    /// The class of error, which decides what the node may still do.
    package var cause: Cause {
        switch code & 0xff {
        case 11, 26: .damaged
        case 13: .full
        case 10: .io
        case 5, 6: .busy
        case 8, 14, 23, 3: .access
        case 19: .constraint
        default: .other
        }
    }

    package enum Cause: Equatable, Sendable {
        /// SQLITE_CORRUPT or SQLITE_NOTADB.
        case damaged
        /// SQLITE_FULL: the disk is full, or `max_page_count` is reached.
        case full
        /// SQLITE_IOERR, such as a failed fsync.
        case io
        case busy
        /// Read-only, cannot open, not authorised.
        case access
        case constraint
        case other
    }
}
