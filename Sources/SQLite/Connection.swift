import CSQLite

/// A SQLite connection. Not `Sendable`: it is passed to a closure on the thread that owns it and cannot escape.
///
/// Statements take a `StaticString`, so SQL cannot be built from input; values can only be bound. Each is
/// prepared once and cached.
@safe
package final class Connection {
    private let handle: OpaquePointer
    private var statements: [UInt: Statement] = [:]
    /// Statements whose SQL names a table of a list, by their SQL.
    private var tableStatements: [String: Statement] = [:]
    private var rowChanges: RowChangeObserver?

    package enum Access: Sendable {
        case readWrite
        case readOnly
    }

    /// Opens the file, creating it when `access` is `.readWrite`.
    package init(path: String, access: Access) throws(SQLiteError) {
        var handle: OpaquePointer?
        let flags =
            switch access {
            case .readWrite: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
            case .readOnly: SQLITE_OPEN_READONLY
            }
        let code = unsafe sqlite3_open_v2(
            path, &handle, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nil)
        guard code == SQLITE_OK, let opened = unsafe handle else {
            let error = unsafe SQLiteError(database: handle, code: code, sql: "")
            unsafe sqlite3_close_v2(handle)
            throw error
        }
        unsafe self.handle = opened
        unsafe sqlite3_busy_timeout(opened, 5_000)
        // A hostile schema must not run code (https://www.sqlite.org/security.html).
        unsafe clavitor_db_config(opened, SQLITE_DBCONFIG_DEFENSIVE, 1)
        unsafe clavitor_db_config(opened, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
    }

    deinit {
        statements.removeAll()
        tableStatements.removeAll()
        unsafe sqlite3_close_v2(handle)
    }

    /// Runs one statement. Returns the number of rows it changed.
    @discardableResult
    package func run(_ sql: StaticString, _ bindings: Value...) throws -> Int {
        try run(sql, all: bindings)
    }

    /// The same with an array of values, one per placeholder.
    @discardableResult
    package func run(_ sql: StaticString, all bindings: [Value]) throws -> Int {
        try statement(sql).forEachRow(bindings) { _ in .next }
        return unsafe Int(sqlite3_changes64(handle))
    }

    /// Every row, in order, converted by `row`.
    package func all<T>(_ sql: StaticString, _ bindings: Value..., row: (Row) throws -> T) throws -> [T] {
        var result: [T] = []
        try statement(sql).forEachRow(bindings) { current in
            result.append(try row(current))
            return .next
        }
        return result
    }

    /// The first row, if there is one.
    package func first<T>(_ sql: StaticString, _ bindings: Value..., row: (Row) throws -> T) throws -> T? {
        try first(sql, all: bindings, row: row)
    }

    /// The same with an array of values, one per placeholder.
    package func first<T>(_ sql: StaticString, all bindings: [Value], row: (Row) throws -> T) throws -> T? {
        var result: T?
        try statement(sql).forEachRow(bindings) { current in
            result = try row(current)
            return .stop
        }
        return result
    }

    /// Passes each row to `row` without collecting them.
    package func forEach(_ sql: StaticString, _ bindings: Value..., row: (Row) throws -> Void) throws {
        try statement(sql).forEachRow(bindings) { current in
            try row(current)
            return .next
        }
    }

    /// The same until `row` returns `.stop`.
    package func scan(_ sql: StaticString, _ bindings: Value..., row: (Row) throws -> Continuation) throws {
        try statement(sql).forEachRow(bindings) { try row($0) }
    }

    package enum Continuation: Sendable { case next, stop }

    /// Runs a trusted script, such as a migration or a pragma. Must not contain external input.
    package func script(_ sql: String) throws(SQLiteError) {
        let code = unsafe sqlite3_exec(handle, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw unsafe SQLiteError(database: handle, code: code, sql: sql) }
    }

    /// The number of rows that this connection has inserted, changed or deleted.
    package var totalChanges: Int64 { unsafe sqlite3_total_changes64(handle) }

    /// Whether a transaction is open. SQLite ends it by itself on a full disk and on some I/O errors.
    package var isInTransaction: Bool {
        unsafe sqlite3_get_autocommit(handle) == 0
    }

    /// The number of virtual machine steps that all statements have run: a measure of query cost that does not depend on
    /// load. Two queries that must not differ in timing take the same number.
    package var machineSteps: Int { statements.values.reduce(0) { $0 + $1.machineSteps } }

    /// Runs `body` on one snapshot, however many statements it has.
    package func snapshot<T>(_ body: (Connection) throws -> T) throws -> T {
        try run("BEGIN")
        // Nothing was written, so rollback suffices; on a damaged file COMMIT throws, which would lose the findings of an
        // integrity check.
        defer { rollBack() }
        return try body(self)
    }

    /// Rolls back the open transaction, if SQLite has not done so already.
    func rollBack() {
        if isInTransaction { _ = try? run("ROLLBACK") }
    }

    /// Passes every row of the tables that this connection inserts, changes or deletes to `body`, before it does so.
    ///
    /// `body` runs within the statement and may not use the connection.
    package func observeRowChanges(in tables: [TableName], _ body: @escaping (RowChange) -> Void) {
        let observer = RowChangeObserver(tables: tables, body: body)
        unsafe observer.install(on: handle)
        rowChanges = observer
    }

    /// Runs a statement whose SQL was built from a `TableName`.
    func forEach(trusted sql: String, _ bindings: [Value], row: (Row) throws -> Void) throws {
        let statement: Statement
        if let known = tableStatements[sql] {
            statement = known
        } else {
            statement = unsafe try Statement(sql, on: handle)
            tableStatements[sql] = statement
        }
        try statement.forEachRow(bindings) { current in
            try row(current)
            return .next
        }
    }

    /// Gives other files of this module access to the C handle.
    func withHandle<T>(_ body: (OpaquePointer) throws -> T) rethrows -> T {
        try unsafe body(handle)
    }

    private func statement(_ sql: StaticString) throws(SQLiteError) -> Statement {
        // A static string is identified by its address, which avoids hashing the text.
        let key = unsafe UInt(bitPattern: sql.utf8Start)
        if let known = statements[key] { return known }
        let prepared = unsafe try Statement(sql.description, on: handle)
        statements[key] = prepared
        return prepared
    }
}
