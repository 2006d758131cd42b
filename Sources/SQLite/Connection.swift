import CSQLite

/// One SQLite connection. Not `Sendable`: it is lent to a closure on the thread that owns it and cannot leave.
///
/// Statements take a `StaticString`, so SQL cannot be built from input; values can only be bound. Each is
/// prepared once and kept.
@safe
package final class Connection {
    private let handle: OpaquePointer
    private var statements: [UInt: Statement] = [:]

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
        // A file that tries to run code through its schema is not ours (https://www.sqlite.org/security.html).
        unsafe clavitor_db_config(opened, SQLITE_DBCONFIG_DEFENSIVE, 1)
        unsafe clavitor_db_config(opened, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
    }

    deinit {
        statements.removeAll()
        unsafe sqlite3_close_v2(handle)
    }

    /// Runs one statement. Returns the number of rows it changed.
    @discardableResult
    package func run(_ sql: StaticString, _ bindings: Value...) throws -> Int {
        try run(sql, all: bindings)
    }

    /// The same, with as many values as the statement has places for.
    @discardableResult
    package func run(_ sql: StaticString, all bindings: [Value]) throws -> Int {
        try statement(sql).forEachRow(bindings) { _ in .next }
        return unsafe Int(sqlite3_changes64(handle))
    }

    /// Every row, in order, as whatever `row` makes of it.
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
        var result: T?
        try statement(sql).forEachRow(bindings) { current in
            result = try row(current)
            return .stop
        }
        return result
    }

    /// Hands over one row after the other without keeping them.
    package func forEach(_ sql: StaticString, _ bindings: Value..., row: (Row) throws -> Void) throws {
        try statement(sql).forEachRow(bindings) { current in
            try row(current)
            return .next
        }
    }

    /// The same until `row` has enough.
    package func scan(_ sql: StaticString, _ bindings: Value..., row: (Row) throws -> Continuation) throws {
        try statement(sql).forEachRow(bindings) { try row($0) }
    }

    package enum Continuation: Sendable { case next, stop }

    /// Runs a script of the program's own, such as a migration or a pragma. Never give it input from outside.
    package func script(_ sql: String) throws(SQLiteError) {
        let code = unsafe sqlite3_exec(handle, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw unsafe SQLiteError(database: handle, code: code, sql: sql) }
    }

    /// Rows that statements of this connection have inserted, changed or deleted so far.
    package var totalChanges: Int64 { unsafe sqlite3_total_changes64(handle) }

    /// Whether a transaction is open. SQLite ends it by itself on a full disk and on some I/O errors.
    package var isInTransaction: Bool {
        unsafe sqlite3_get_autocommit(handle) == 0
    }

    /// Steps of SQLite's virtual machine that all statements took so far: what questions cost, whatever else the machine
    /// does. Two that must not be told apart by time take the same.
    package var machineSteps: Int { statements.values.reduce(0) { $0 + $1.machineSteps } }

    /// Lets `body` see one snapshot however many statements it runs.
    func snapshot<T>(_ body: (Connection) throws -> T) throws -> T {
        try run("BEGIN")
        // Nothing was written, so there is nothing to commit; and in a damaged file COMMIT throws, which would
        // take the findings of an integrity check with it.
        defer { rollBack() }
        return try body(self)
    }

    /// Takes back the open transaction, if SQLite has not done so already.
    func rollBack() {
        if isInTransaction { _ = try? run("ROLLBACK") }
    }

    /// Lends the C handle to the other files of this module.
    func withHandle<T>(_ body: (OpaquePointer) throws -> T) rethrows -> T {
        try unsafe body(handle)
    }

    private func statement(_ sql: StaticString) throws(SQLiteError) -> Statement {
        // A static string's address is its identity, and comparing addresses spares hashing the text.
        let key = unsafe UInt(bitPattern: sql.utf8Start)
        if let known = statements[key] { return known }
        let prepared = unsafe try Statement(sql.description, on: handle)
        statements[key] = prepared
        return prepared
    }
}
