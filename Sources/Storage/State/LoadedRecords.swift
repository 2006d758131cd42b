import SQLite
import VaultFormat

/// The digests of all records of one vault, with their number by table.
struct LoadedRecords: Sendable {
    private(set) var set = RecordSet()
    private var counts: [TableName: Int] = [:]
    /// Orders the vaults by their last use.
    var lastUse: UInt64 = 0

    init() {}

    /// Reads all records of a vault from the file, unverified.
    init(of vault: VaultID, _ tables: RecordTables, _ db: Connection) throws {
        for table in tables.of(vault) {
            try db.forEach(in: table.name, vault: table.vault == nil ? nil : .blob(vault.bytes)) { row in
                let record = table.identify(row)
                self[record.table, record.key] = record.digest
            }
        }
    }

    subscript(_ table: TableName, _ key: Record.Key) -> StateDigest? {
        get { set[key] }
        set {
            let before = set.count
            set[key] = newValue
            counts[table, default: 0] += set.count - before
        }
    }

    mutating func digest() -> StateDigest { set.digest() }

    func count(in table: TableName) -> Int { counts[table] ?? 0 }
}
