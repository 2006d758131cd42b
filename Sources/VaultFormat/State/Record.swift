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
    package init<E: Error>(_ layout: RecordLayout, _ value: (Int) throws(E) -> Value?) throws(E) {
        var bytes = layout.label
        bytes.reserveCapacity(512)
        for column in layout.columns {
            guard let value = try value(column.position) else { continue }
            bytes += column.name
            Self.append(value, to: &bytes)
        }
        self.bytes = bytes
    }

    package var digest: StateDigest { StateDigest(hash: SHA256.hash(data: bytes)) }

    /// Identifies a row in its vault's set by its table and primary key.
    package struct Key: Hashable, Sendable {
        package static let count = 16
        package let bytes: [UInt8]

        package init(table: String, primaryKey: Value) {
            var bytes = Array("clav2/key".utf8)
            bytes += RecordLayout.name(table)
            append(primaryKey, to: &bytes)
            self.bytes = Array(SHA256.hash(data: bytes).prefix(Self.count))
        }

        /// `bytes`: 16 bytes.
        package init?(_ bytes: [UInt8]) {
            guard bytes.count == Self.count else { return nil }
            self.bytes = bytes
        }
    }

    private static func append(_ value: Value, to bytes: inout [UInt8]) {
        let (type, content): (UInt8, [UInt8]) =
            switch value {
            case .integer(let number): (1, number.bigEndianBytes)
            case .text(let text): (2, Array(text.utf8))
            case .blob(let blob): (3, blob)
            }
        bytes.append(type)
        bytes += UInt32(content.count).bigEndianBytes
        bytes += content
    }
}

/// The columns of a table in the order in which a record has them.
package struct RecordLayout: Sendable {
    fileprivate let label: [UInt8]
    fileprivate let columns: [(name: [UInt8], position: Int)]

    /// `columns`: The names of all columns, by position.
    package init(table: String, columns: [String]) {
        label = Array("clav2/record".utf8) + Self.name(table)
        // By their bytes: `String`'s own order is Unicode's.
        self.columns = columns.enumerated()
            .sorted { $0.element.utf8.lexicographicallyPrecedes($1.element.utf8) }
            .map { (Self.name($0.element), $0.offset) }
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
