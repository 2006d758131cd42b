/// The name of a table that SQL may be built with: lower-case letters, digits and underscores.
package struct TableName: Hashable, Sendable {
    package let text: String

    /// Nil for any other name.
    package init?(_ text: String) {
        let allowed = text.utf8.allSatisfy {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                || $0 == UInt8(ascii: "_")
        }
        guard allowed, !text.isEmpty else { return nil }
        self.text = text
    }
}

extension Connection {
    /// The names of a table's columns, in their order; empty when there is no such table.
    package func columns(of table: TableName) throws -> [String] {
        try all("SELECT name FROM pragma_table_info(?) ORDER BY cid", .text(table.text)) { $0.text(0) }
    }

    /// Passes each row with this value in the column `vault` to `row`, with all columns in their order. Nil: every row.
    package func forEach(in table: TableName, vault: Value?, row: (Row) throws -> Void) throws {
        if let vault {
            try forEach(trusted: "SELECT * FROM \"\(table.text)\" WHERE vault = ?", [vault], row: row)
        } else {
            try forEach(trusted: "SELECT * FROM \"\(table.text)\"", [], row: row)
        }
    }

    /// The number of rows with this value in the column `vault`. Nil: of all rows.
    package func count(in table: TableName, vault: Value?) throws -> Int {
        var count = 0
        let condition = vault == nil ? "" : " WHERE vault = ?"
        try forEach(trusted: "SELECT COUNT(*) FROM \"\(table.text)\"\(condition)", vault.map { [$0] } ?? []) {
            count = $0.int(0)
        }
        return count
    }
}
