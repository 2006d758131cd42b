import CSQLite
import Glibc

/// One row that a statement is about to insert, change or delete, with all its columns in the order of the table.
///
/// Cascades, triggers and rows that a conflict replaces are reported like any other.
package struct RowChange {
    package let table: TableName
    /// The row before; nil for an insert.
    package let old: [Value]?
    /// The row after; nil for a delete.
    package let new: [Value]?
}

/// Passes changed rows of some tables to a closure (https://www.sqlite.org/c3ref/preupdate_count.html).
final class RowChangeObserver {
    private let tables: [(name: TableName, bytes: [CChar])]
    private let body: (RowChange) -> Void

    init(tables: [TableName], body: @escaping (RowChange) -> Void) {
        self.tables = tables.map { ($0, Array($0.text.utf8CString)) }
        self.body = body
    }

    func install(on handle: OpaquePointer) {
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        _ = unsafe sqlite3_preupdate_hook(
            handle,
            { context, handle, operation, _, table, _, _ in
                guard let context = unsafe context, let handle = unsafe handle, let table = unsafe table else { return }
                let observer = unsafe Unmanaged<RowChangeObserver>.fromOpaque(context).takeUnretainedValue()
                unsafe observer.observe(operation, table, handle)
            }, context)
    }

    private func observe(_ operation: Int32, _ name: UnsafePointer<CChar>, _ handle: OpaquePointer) {
        guard let table = tables.first(where: { unsafe strcmp($0.bytes, name) == 0 }) else { return }
        let count = unsafe sqlite3_preupdate_count(handle)
        let old = operation == SQLITE_INSERT ? nil : unsafe row(count) { unsafe sqlite3_preupdate_old(handle, $0, &$1) }
        let new = operation == SQLITE_DELETE ? nil : unsafe row(count) { unsafe sqlite3_preupdate_new(handle, $0, &$1) }
        body(RowChange(table: table.name, old: old, new: new))
    }

    private func row(_ count: Int32, _ column: (Int32, inout OpaquePointer?) -> Int32) -> [Value] {
        (0..<count).map { index in
            var value: OpaquePointer?
            guard unsafe column(index, &value) == SQLITE_OK, let value = unsafe value else { return .null }
            switch unsafe sqlite3_value_type(value) {
            case SQLITE_INTEGER: return unsafe .integer(sqlite3_value_int64(value))
            case SQLITE_NULL: return .null
            case SQLITE_BLOB:
                let size = unsafe Int(sqlite3_value_bytes(value))
                guard let bytes = unsafe sqlite3_value_blob(value) else { return .blob([]) }
                return unsafe .blob([UInt8](UnsafeRawBufferPointer(start: bytes, count: size)))
            default:
                guard let text = unsafe sqlite3_value_text(value) else { return .text("") }
                return unsafe .text(String(cString: text))
            }
        }
    }
}
