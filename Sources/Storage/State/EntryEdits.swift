import SQLite
import Vault
import VaultFormat

/// What the mutations of one job change in the records of entries. Written at the job's end.
///
/// It follows from the mutations and from the committed records, never from the rows that a statement found: somebody may have hidden
/// one to put it back later.
struct EntryEdits {
    private let check: RecordCheck
    /// Nil for an id that is no entry's, such as an agent's record.
    private var entries: [EntryID: Edited?] = [:]

    private struct Edited {
        let vault: VaultID
        let before: EntryRecord
        var record: EntryRecord
        /// Versions that are no longer current; nil until they are needed.
        var older: Set<PartVersion>?
        /// Key holders with a new wrap, which count if they are agents' current ones at the job's end.
        var added: [(holder: HolderID, part: PartID, version: Int)] = []
    }

    init(_ check: RecordCheck) { self.check = check }

    // MARK: Mutations, each before its statement

    /// A new entry, whose row has an empty record.
    mutating func insert(_ entry: EntryID, in vault: VaultID) {
        let record = EntryRecord()
        entries[entry] = Edited(vault: vault, before: record, record: record, older: [])
    }

    mutating func delete(_ entry: EntryID) { entries[entry] = Edited?.none }

    /// Makes a value the part's current version, without readers.
    mutating func put(_ value: StoredValue, _ db: Connection) throws {
        try edit(value.place.entry, in: value.place.vault, db) { edited in
            try Self.retire(value.place.partID, of: value.place.entry, &edited, db)
            edited.record.parts[value.place.partID] = EntryRecord.Part(value.partVersion)
        }
    }

    mutating func remove(_ part: PartID, of entry: EntryID, in vault: VaultID, _ db: Connection) throws {
        try edit(entry, in: vault, db) { try Self.retire(part, of: entry, &$0, db) }
    }

    /// Deletes a version that is no longer current.
    mutating func deleteOlder(_ place: FieldPlace, _ db: Connection) throws {
        try edit(place.entry, in: place.vault, db) { edited in
            try Self.loadOlder(of: place.entry, &edited, db)
            edited.older = edited.older?.filter { $0.id != place.partID || $0.version != place.version }
        }
    }

    /// Another key id of a version, which may be the current one.
    mutating func rekey(_ place: FieldPlace, key: UInt32, _ db: Connection) throws {
        try edit(place.entry, in: place.vault, db) { edited in
            if let part = edited.record.parts[place.partID], part.value.version == place.version {
                edited.record.parts[place.partID] = EntryRecord.Part(part.value.keyed(key), readers: part.readers)
                return
            }
            try Self.loadOlder(of: place.entry, &edited, db)
            let old = edited.older?.first { $0.id == place.partID && $0.version == place.version }
            guard let old else { throw VaultError.noSuchVersion }
            edited.older?.remove(old)
            edited.older?.insert(old.keyed(key))
        }
    }

    mutating func addWrap(_ wrap: Wrap, _ db: Connection) throws {
        let place = wrap.place
        try edit(place.entry, in: place.vault, db) { $0.added.append((wrap.holder, place.partID, place.version)) }
    }

    /// Ends the reading of a part, or of all parts, by one agent, or by all.
    mutating func endReading(
        of part: PartID?, in entry: EntryID, by agent: PrincipalID?, in vault: VaultID, _ db: Connection
    ) throws {
        let holder = try agent.flatMap { agent in
            try db.first("SELECT holder FROM agent WHERE id = ?", .blob(agent.bytes)) {
                try Store.id($0.blob(0)) as HolderID
            }
        }
        try edit(entry, in: vault, db) { edited in
            for (id, present) in edited.record.parts where part == nil || part == id {
                edited.record.parts[id]?.readers = agent.map { present.readers.subtracting([$0]) } ?? []
            }
            edited.added.removeAll { (part == nil || part == $0.part) && (agent == nil || holder == $0.holder) }
        }
    }

    mutating func replaceTerms(
        of entry: EntryID, in vault: VaultID, by terms: [[UInt8]], _ db: Connection
    ) throws {
        try edit(entry, in: vault, db) { $0.record.terms = Set(terms) }
    }

    // MARK: End of the job

    /// Writes the records that changed.
    mutating func write(_ db: Connection) throws {
        var agents: [VaultID: [HolderID: PrincipalID]] = [:]
        for (id, edited) in entries {
            guard var edited else { continue }
            let known = try agents[edited.vault] ?? Store.agentsByHolder(of: edited.vault, db)
            agents[edited.vault] = known
            for (holder, part, version) in edited.added {
                guard let agent = known[holder], edited.record.parts[part]?.value.version == version else { continue }
                edited.record.parts[part]?.readers.insert(agent)
            }
            if let older = edited.older { edited.record.older = EntryRecord.hash(ofOlder: older) }
            guard edited.record != edited.before else { continue }
            // Without those that were revoked since.
            try Self.write(edited.record.limited(to: known), of: id, db)
        }
        entries = [:]
    }

    static func write(_ record: EntryRecord, of entry: EntryID, _ db: Connection) throws {
        try db.run("UPDATE entry SET record = ? WHERE id = ?", .blob(record.bytes), .blob(entry.bytes))
    }

    // MARK: Shared

    private mutating func edit(
        _ id: EntryID, in vault: VaultID, _ db: Connection, _ body: (inout Edited) throws -> Void
    ) throws {
        var edited: Edited?
        if let known = entries[id] {
            edited = known
        } else if let entry = try Store.recordedEntry(id, in: vault, check, db) {
            let record = try entry.contents
            edited = Edited(vault: vault, before: record, record: record)
        }
        // Taken out, so that it is changed in place.
        entries[id] = Edited?.none
        guard var edited else { return }
        try body(&edited)
        entries[id] = edited
    }

    /// The part's current version becomes an older one.
    private static func retire(
        _ id: PartID, of entry: EntryID, _ edited: inout Edited, _ db: Connection
    ) throws {
        guard let part = edited.record.parts[id] else { return }
        try loadOlder(of: entry, &edited, db)
        edited.older?.insert(part.value)
        edited.record.parts[id] = nil
    }

    /// Reads the older versions as the file has them before the next statement, and compares them with the record.
    private static func loadOlder(of entry: EntryID, _ edited: inout Edited, _ db: Connection) throws {
        guard edited.older == nil else { return }
        guard let older = edited.record.older(among: try Store.versions(of: entry, db)) else {
            throw RecordMismatch(
                vault: edited.vault, finding: "entry \(entry.text): its values are not those of its record")
        }
        edited.older = older
    }
}
