import CSQLite

/// SQLITE_TRANSIENT: SQLite copies the bytes before the bind returns.
private let transient = unsafe unsafeBitCast(-1, to: sqlite3_destructor_type.self)

/// A prepared statement. Owned by one `Connection`, which finalizes it by releasing it.
@safe
final class Statement {
    private let handle: OpaquePointer
    fileprivate let sql: String
    /// The names of the result columns, in order.
    fileprivate let columns: [String]

    init(_ sql: String, on database: OpaquePointer) throws(SQLiteError) {
        var handle: OpaquePointer?
        let code = unsafe sqlite3_prepare_v3(database, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &handle, nil)
        guard code == SQLITE_OK, let prepared = unsafe handle else {
            throw unsafe SQLiteError(database: database, code: code, sql: sql)
        }
        unsafe self.handle = prepared
        self.sql = sql
        columns = unsafe (0..<sqlite3_column_count(prepared)).map { column in
            guard let name = unsafe sqlite3_column_name(prepared, column) else { return "" }
            return unsafe String(cString: name)
        }
    }

    deinit {
        unsafe sqlite3_finalize(handle)
    }

    /// Binds, steps through every row, and resets, so that no read lock outlives the call.
    func forEachRow<E: Error>(
        _ bindings: [Value],
        _ body: (Row) throws(E) -> Connection.Continuation
    ) throws {
        defer {
            unsafe sqlite3_reset(handle)
            unsafe sqlite3_clear_bindings(handle)
        }
        try bind(bindings)
        while true {
            let code = unsafe sqlite3_step(handle)
            switch code {
            case SQLITE_ROW:
                if unsafe try body(Row(handle, of: self)) == .stop { return }
            case SQLITE_DONE:
                return
            default:
                throw unsafe SQLiteError(database: sqlite3_db_handle(handle), code: code, sql: sql)
            }
        }
    }

    var machineSteps: Int { unsafe Int(sqlite3_stmt_status(handle, SQLITE_STMTSTATUS_VM_STEP, 0)) }

    private func bind(_ bindings: [Value]) throws(SQLiteError) {
        precondition(
            unsafe Int(sqlite3_bind_parameter_count(handle)) == bindings.count,
            "the number of values must equal the number of placeholders in: \(sql)"
        )
        for (offset, value) in bindings.enumerated() {
            let index = Int32(offset + 1)
            let code: Int32 =
                switch value {
                case .null: unsafe sqlite3_bind_null(handle, index)
                case .integer(let integer): unsafe sqlite3_bind_int64(handle, index, integer)
                case .text(let text): unsafe sqlite3_bind_text(handle, index, text, -1, transient)
                case .blob(let bytes):
                    if bytes.isEmpty {
                        unsafe sqlite3_bind_zeroblob(handle, index, 0)
                    } else {
                        unsafe bytes.withUnsafeBytes { buffer in
                            unsafe sqlite3_bind_blob(handle, index, buffer.baseAddress, Int32(buffer.count), transient)
                        }
                    }
                }
            guard code == SQLITE_OK else {
                throw unsafe SQLiteError(database: sqlite3_db_handle(handle), code: code, sql: sql)
            }
        }
    }
}

/// The current row of a statement. Valid only inside the closure that receives it.
///
/// Columns are read by position, from 0, or by name: the column's own, or the one that the query gives it with `AS`.
@safe
package struct Row {
    private let handle: OpaquePointer
    private let statement: Statement

    fileprivate init(_ handle: OpaquePointer, of statement: Statement) {
        unsafe self.handle = handle
        self.statement = statement
    }

    package func isNull(_ column: Int) -> Bool {
        unsafe sqlite3_column_type(handle, Int32(column)) == SQLITE_NULL
    }

    package func integer(_ column: Int) -> Int64 {
        unsafe sqlite3_column_int64(handle, Int32(column))
    }

    package func int(_ column: Int) -> Int { Int(integer(column)) }

    package func text(_ column: Int) -> String {
        guard let text = unsafe sqlite3_column_text(handle, Int32(column)) else { return "" }
        return unsafe String(cString: text)
    }

    package func blob(_ column: Int) -> [UInt8] {
        guard let bytes = unsafe sqlite3_column_blob(handle, Int32(column)) else { return [] }
        let count = unsafe Int(sqlite3_column_bytes(handle, Int32(column)))
        return unsafe [UInt8](UnsafeRawBufferPointer(start: bytes, count: count))
    }

    /// The value in its own storage class; a REAL, which no schema here uses, is returned as text.
    package func value(_ column: Int) -> Value {
        switch storageClass(column) {
        case .null: .null
        case .integer: .integer(integer(column))
        case .blob: .blob(blob(column))
        case .text: .text(text(column))
        }
    }

    /// Appends the bytes of a text or blob without a copy of their own.
    package func appendBytes(_ column: Int, to bytes: inout [UInt8]) {
        guard let start = unsafe sqlite3_column_blob(handle, Int32(column)) else { return }
        let count = unsafe Int(sqlite3_column_bytes(handle, Int32(column)))
        unsafe bytes.append(contentsOf: UnsafeRawBufferPointer(start: start, count: count))
    }

    /// The number of bytes of a text or blob.
    package func byteCount(_ column: Int) -> Int { unsafe Int(sqlite3_column_bytes(handle, Int32(column))) }

    package enum StorageClass: Sendable { case null, integer, text, blob }

    package func storageClass(_ column: Int) -> StorageClass {
        switch unsafe sqlite3_column_type(handle, Int32(column)) {
        case SQLITE_NULL: .null
        case SQLITE_INTEGER: .integer
        case SQLITE_BLOB: .blob
        default: .text
        }
    }

    /// The whole row.
    package var values: [Value] { unsafe (0..<Int(sqlite3_column_count(handle))).map { value($0) } }

    package func optionalInteger(_ column: Int) -> Int64? { isNull(column) ? nil : integer(column) }
    package func optionalBlob(_ column: Int) -> [UInt8]? { isNull(column) ? nil : blob(column) }
}

extension Row {
    package func isNull(_ name: String) throws(SQLiteError) -> Bool { isNull(try position(of: name)) }
    package func integer(_ name: String) throws(SQLiteError) -> Int64 { integer(try position(of: name)) }
    package func int(_ name: String) throws(SQLiteError) -> Int { int(try position(of: name)) }
    package func text(_ name: String) throws(SQLiteError) -> String { text(try position(of: name)) }
    package func blob(_ name: String) throws(SQLiteError) -> [UInt8] { blob(try position(of: name)) }

    package func optionalInteger(_ name: String) throws(SQLiteError) -> Int64? {
        optionalInteger(try position(of: name))
    }

    package func optionalText(_ name: String) throws(SQLiteError) -> String? {
        try isNull(name) ? nil : text(name)
    }

    package func optionalBlob(_ name: String) throws(SQLiteError) -> [UInt8]? {
        optionalBlob(try position(of: name))
    }

    /// Compares the names one by one: a query has few columns, so a dictionary would cost more than it saves.
    private func position(of name: String) throws(SQLiteError) -> Int {
        for (position, column) in statement.columns.enumerated() where column == name { return position }
        throw SQLiteError(code: SQLITE_RANGE, message: "the query returns no column \"\(name)\"", sql: statement.sql)
    }
}

extension SQLiteError {
    init(database: OpaquePointer?, code: Int32, sql: String) {
        self.init(
            code: unsafe database == nil ? code : sqlite3_extended_errcode(database),
            message: unsafe String(cString: database == nil ? sqlite3_errstr(code) : sqlite3_errmsg(database)),
            sql: sql
        )
    }
}
