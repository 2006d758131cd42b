import SQLite
import Vault
import VaultFormat

/// A table whose rows are records, as the file lists it in `recorded`.
struct RecordTable: Sendable {
    let name: TableName
    let columns: [String]
    private let layout: RecordLayout
    /// Position of the column whose value identifies a row.
    private let key: Int
    /// Position of the column with the vault; nil when the records are the node's own.
    let vault: Int?

    init(_ name: TableName, key: String, columns: [String]) throws {
        guard let key = columns.firstIndex(of: key) else {
            throw VaultError.damaged("the table \(name.text) of records has no column \"\(key)\"")
        }
        self.name = name
        self.columns = columns
        self.key = key
        vault = columns.firstIndex(of: "vault")
        layout = RecordLayout(table: name.text, columns: columns)
    }

    func key(_ value: Value) -> Record.Key {
        Record.Key(table: name.text, primaryKey: value.recorded ?? .blob([]))
    }

    /// The record of a row whose first columns are all of the table's.
    func identify(_ row: Row) -> IdentifiedRecord {
        var encoder = RecordEncoder(layout)
        for column in layout.columns {
            let position = column.position
            switch row.storageClass(position) {
            case .null: continue
            case .integer: encoder.add(row.integer(position), of: column)
            case let storage:
                encoder.add(isText: storage == .text, count: row.byteCount(position), of: column) {
                    row.appendBytes(position, to: &$0)
                }
            }
        }
        return IdentifiedRecord(
            vault: vault.map { VaultID(row.blob($0)) } ?? .node, table: name, key: key(row.value(key)),
            digest: Record(encoder).digest)
    }

    func identify(_ values: [Value]) -> IdentifiedRecord {
        func value(_ position: Int) -> Value { position < values.count ? values[position] : .null }
        return IdentifiedRecord(
            vault: vault.map(value).map { VaultID($0.bytes) } ?? .node, table: name, key: key(value(key)),
            digest: Record(layout) { value($0).recorded }.digest)
    }
}

/// A row's place in the state.
struct IdentifiedRecord: Sendable {
    /// Nil when the row has no valid id of a vault.
    let vault: VaultID?
    let table: TableName
    let key: Record.Key
    let digest: StateDigest
}

/// The tables of records that a file has, by name.
struct RecordTables: Sendable {
    private let byName: [TableName: RecordTable]
    let all: [RecordTable]

    init(_ db: Connection) throws {
        let listed = try db.all("SELECT name, key FROM recorded ORDER BY name") {
            (try $0.text("name"), try $0.text("key"))
        }
        all = try listed.map { text, key in
            guard let name = TableName(text) else {
                throw VaultError.damaged("the list of tables of records has a name that is none")
            }
            return try RecordTable(name, key: key, columns: try db.columns(of: name))
        }
        byName = Dictionary(all.map { ($0.name, $0) }) { first, _ in first }
        for name in TableName.records where byName[name] == nil {
            throw VaultError.damaged("the list of tables of records lacks \(name.text)")
        }
    }

    subscript(_ name: TableName) -> RecordTable {
        get throws {
            guard let table = known(name) else { throw VaultError.damaged("\(name.text) is no table of records") }
            return table
        }
    }

    func known(_ name: TableName) -> RecordTable? { byName[name] }

    /// Tables with the records of a vault, or the node's own.
    func of(_ vault: VaultID) -> [RecordTable] { all.filter { ($0.vault == nil) == (vault == .node) } }
}

extension TableName {
    // swift-format-ignore: NeverForceUnwrap
    private static func known(_ text: String) -> TableName { TableName(text)! }

    static let account = known("account")
    static let agent = known("agent")
    static let credential = known("credential")
    static let entry = known("entry")
    static let item = known("item")
    static let l2Entry = known("l2_entry")
    static let node = known("node")
    static let recorded = known("recorded")
    static let spentInvite = known("spent_invite")
    /// The tables of records that this program reads.
    static let records: [TableName] = [account, agent, credential, entry, item, l2Entry, node, recorded, spentInvite]
}

extension Value {
    /// Nil for NULL.
    fileprivate var recorded: Record.Value? {
        switch self {
        case .null: nil
        case .integer(let integer): .integer(integer)
        case .text(let text): .text(text)
        case .blob(let blob): .blob(blob)
        }
    }

    fileprivate var bytes: [UInt8] { if case .blob(let bytes) = self { bytes } else { [] } }
}
