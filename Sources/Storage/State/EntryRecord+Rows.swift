import Encoding
import SQLite
import Vault
import VaultFormat

/// Records of entries as the file's rows of values, wraps and terms give them.
extension EntryRecord {
    init(rowsOf entry: EntryID, agents: Set<HolderID>, _ db: Connection) throws {
        self.init()
        let current: Set<[UInt8]> = Set(
            try db.all("SELECT field, version FROM value WHERE entry = ? AND is_current = 1", .blob(entry.bytes)) {
                try $0.blob("field") + $0.integer("version").bigEndianBytes
            })
        var older: [PartVersion] = []
        for version in try Store.versions(of: entry, db) {
            if current.contains(version.field.bytes + Int64(version.version).bigEndianBytes) {
                parts[version.field] = Part(version)
            } else {
                older.append(version)
            }
        }
        self.older = Self.hash(ofOlder: older)
        try db.forEach("SELECT field, version, holder FROM wrap WHERE entry = ?", .blob(entry.bytes)) { row in
            let (field, holder): (FieldID, HolderID) = (
                try Store.id(row.blob("field")), try Store.id(row.blob("holder"))
            )
            guard agents.contains(holder), try parts[field]?.value.version == row.int("version") else { return }
            parts[field]?.readers.insert(holder)
        }
        terms = Set(try db.all("SELECT term FROM term WHERE entry = ?", .blob(entry.bytes)) { $0.blob(0) })
    }

    /// Without readers that were revoked since.
    func limited(to agents: Set<HolderID>) -> EntryRecord {
        var record = self
        for field in record.parts.keys { record.parts[field]?.readers.formIntersection(agents) }
        return record
    }
}
