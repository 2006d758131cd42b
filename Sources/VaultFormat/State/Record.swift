import Crypto
import Encoding

/// A row of a table that decides over access, as the state covers it (docs/FORMAT.md, "State").
///
/// Columns are named and NULL counts as absent, so that the previous version covers a column that it does not know.
package struct Record: Equatable, Sendable {
    /// The value of a column that is not NULL.
    package enum Value: Equatable, Sendable {
        case integer(Int64)
        case text(String)
        case blob([UInt8])
    }

    package let bytes: [UInt8]

    /// `value`: The column's value by its position; nil for NULL.
    package init(_ layout: RecordLayout, _ value: (Int) throws -> Value?) rethrows {
        var encoder = RecordEncoder(layout)
        for column in layout.columns {
            guard let value = try value(column.position) else { continue }
            encoder.add(value, of: column)
        }
        bytes = encoder.bytes
    }

    /// The bytes that an encoder has collected.
    package init(_ encoder: RecordEncoder) { bytes = encoder.bytes }

    package var digest: StateDigest { StateDigest(hash: SHA256.hash(data: bytes)) }

    /// Identifies a row in its vault's set by its table and primary key.
    package struct Key: Hashable, Sendable {
        package static let count = 16
        package let bytes: [UInt8]

        package init(table: String, primaryKey: Value) {
            var bytes = Array("clav2/key".utf8)
            bytes += RecordLayout.name(table)
            RecordEncoder.append(primaryKey, to: &bytes)
            self.bytes = Array(SHA256.hash(data: bytes).prefix(Self.count))
        }

        /// `bytes`: 16 bytes.
        package init?(_ bytes: [UInt8]) {
            guard bytes.count == Self.count else { return nil }
            self.bytes = bytes
        }
    }
}

/// Collects a record's bytes column by column.
package struct RecordEncoder {
    fileprivate(set) var bytes: [UInt8]

    package init(_ layout: RecordLayout) {
        bytes = layout.label
        bytes.reserveCapacity(layout.label.count + 512)
    }

    package mutating func add(_ value: Record.Value, of column: RecordLayout.Column) {
        bytes += column.name
        Self.append(value, to: &bytes)
    }

    package mutating func add(_ integer: Int64, of column: RecordLayout.Column) {
        bytes += column.name
        Self.append(integer, to: &bytes)
    }

    /// Adds a text or a blob, whose bytes `content` appends.
    package mutating func add(
        isText: Bool, count: Int, of column: RecordLayout.Column, _ content: (inout [UInt8]) -> Void
    ) {
        bytes += column.name
        Self.appendHeader(isText ? 2 : 3, count, to: &bytes)
        content(&bytes)
    }

    fileprivate static func append(_ value: Record.Value, to bytes: inout [UInt8]) {
        switch value {
        case .integer(let number):
            append(number, to: &bytes)
        case .text(let text):
            appendHeader(2, text.utf8.count, to: &bytes)
            bytes += text.utf8
        case .blob(let blob):
            appendHeader(3, blob.count, to: &bytes)
            bytes += blob
        }
    }

    private static func append(_ number: Int64, to bytes: inout [UInt8]) {
        appendHeader(1, 8, to: &bytes)
        for shift in stride(from: 56, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: number >> Int64(shift)))
        }
    }

    private static func appendHeader(_ type: UInt8, _ count: Int, to bytes: inout [UInt8]) {
        bytes.append(type)
        for shift in stride(from: 24, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: count >> shift)) }
    }
}

/// The columns of a table in the order in which a record has them.
package struct RecordLayout: Sendable {
    fileprivate let label: [UInt8]
    package let columns: [Column]

    package struct Column: Sendable {
        /// With its length.
        fileprivate let name: [UInt8]
        /// In the table.
        package let position: Int
    }

    /// `columns`: The names of all columns, by position.
    package init(table: String, columns: [String]) {
        label = Array("clav2/record".utf8) + Self.name(table)
        // By their bytes: `String`'s own order is Unicode's.
        self.columns = columns.enumerated()
            .sorted { $0.element.utf8.lexicographicallyPrecedes($1.element.utf8) }
            .map { Column(name: Self.name($0.element), position: $0.offset) }
    }

    /// A name with its length in two bytes.
    fileprivate static func name(_ name: String) -> [UInt8] {
        UInt16(name.utf8.count).bigEndianBytes + Array(name.utf8)
    }
}

/// 32 bytes of SHA-256 over a record, a vault's records or a node's vaults.
package struct StateDigest: Equatable, Sendable {
    package static let count = 32
    package let bytes: [UInt8]

    init(hash: some Sequence<UInt8>) { bytes = Array(hash) }

    /// `bytes`: 32 bytes.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.count else { return nil }
        self.bytes = bytes
    }

    /// What an audit line states that changed no record.
    package static let zeros = StateDigest(hash: [UInt8](repeating: 0, count: count))
}
