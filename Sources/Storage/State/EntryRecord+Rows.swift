import Encoding
import SQLite
import Vault
import VaultFormat

/// Records of entries as the file's rows of values, wraps and terms give them.
extension EntryRecord {
    init(rowsOf entry: EntryID, agents: [HolderID: PrincipalID], _ db: Connection) throws {
        self.init()
        let current: [PartID: Int] = Dictionary(
            try db.all("SELECT field, part, version FROM value WHERE entry = ? AND is_current = 1", .blob(entry.bytes))
            {
                (try Store.partID($0), try $0.int("version"))
            }
        ) { first, _ in first }
        var older: [PartVersion] = []
        for version in try Store.versions(of: entry, db) {
            if current[version.id] == version.version {
                parts[version.id] = Part(version)
            } else {
                older.append(version)
            }
        }
        self.older = Self.hash(ofOlder: older)
        try db.forEach("SELECT field, part, version, holder FROM wrap WHERE entry = ?", .blob(entry.bytes)) { row in
            let part = try Store.partID(row)
            guard let agent = agents[try Store.id(row.blob("holder"))],
                try parts[part]?.value.version == row.int("version")
            else { return }
            parts[part]?.readers.insert(agent)
        }
        terms = Set(try db.all("SELECT term FROM term WHERE entry = ?", .blob(entry.bytes)) { $0.blob(0) })
    }

    /// Without readers that were revoked since.
    func limited(to agents: [HolderID: PrincipalID]) -> EntryRecord {
        var record = self
        for part in record.parts.keys { record.parts[part]?.readers.formIntersection(agents.values) }
        return record
    }
}
