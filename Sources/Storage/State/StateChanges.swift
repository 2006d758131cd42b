import SQLite
import Vault
import VaultFormat

/// The records that the writer's batch has changed so far, on top of `StateMemory`. Used by the writer's thread alone.
struct StateChanges: Sendable {
    /// The records of a vault as this batch leaves them.
    struct Working: Sendable {
        var records: LoadedRecords
        /// Nil for a vault that was closed.
        var state: NodeState.Vault?
    }

    private let memory: StateMemory
    private(set) var working: [VaultID: Working] = [:]
    /// Changed rows of the current job, in order.
    private var pending: [Change] = []
    /// Vaults that the current job opens or closes.
    private var opened: Set<VaultID> = []
    private var closed: Set<VaultID> = []
    private var accepted: Set<VaultID> = []

    private struct Change {
        let vault: VaultID
        let table: TableName
        let key: Record.Key
        let old: StateDigest?
        let new: StateDigest?
    }

    init(_ memory: StateMemory) {
        self.memory = memory
    }

    /// Notes a row that the current job changes.
    mutating func note(_ change: RowChange, _ tables: RecordTables) {
        guard let table = tables.known(change.table) else { return }
        let (old, new) = (change.old.map(table.identify), change.new.map(table.identify))
        // A row without a valid vault is no record: no program wrote it, and none reads it.
        if let old, let new, old.vault == new.vault, old.key == new.key {
            guard let vault = old.vault, old.digest != new.digest else { return }
            pending.append(Change(vault: vault, table: old.table, key: old.key, old: old.digest, new: new.digest))
            return
        }
        if let old, let vault = old.vault {
            pending.append(Change(vault: vault, table: old.table, key: old.key, old: old.digest, new: nil))
        }
        if let new, let vault = new.vault {
            pending.append(Change(vault: vault, table: new.table, key: new.key, old: nil, new: new.digest))
        }
    }

    /// The vault that the current job creates has no records yet.
    mutating func open(_ vault: VaultID) { opened.insert(vault) }

    /// The rows of the vault that the current job closes are records no more.
    mutating func close(_ vault: VaultID) { closed.insert(vault) }

    /// Takes a vault's records from the file, whatever they were.
    mutating func accept(_ vault: VaultID, _ db: Connection) throws {
        let change = memory.state(of: vault)?.change ?? 0
        working[vault] = Working(
            records: try LoadedRecords(of: vault, memory.tables, db),
            state: NodeState.Vault(change: change, digest: .zeros))
        accepted.insert(vault)
    }

    /// Forgets the current job.
    mutating func discard() {
        pending = []
        (opened, closed, accepted) = ([], [], [])
    }

    /// Checks a record that the current job reads, and returns its digest in the state: nil when there is no such record.
    mutating func digest(
        of key: Record.Key, in table: TableName, of vault: VaultID, _ db: Connection
    ) throws -> StateDigest? {
        if let change = pending.last(where: { $0.key == key && $0.vault == vault }) { return change.new }
        return try base(vault, db).records[table, key]
    }

    /// The number of a vault's records in a table.
    mutating func count(in table: TableName, of vault: VaultID, _ db: Connection) throws -> Int {
        let changed = pending.reduce(0) { sum, change in
            guard change.vault == vault, change.table == table else { return sum }
            return sum + (change.old == nil ? 1 : 0) - (change.new == nil ? 1 : 0)
        }
        return try base(vault, db).records.count(in: table) + changed
    }

    /// Applies the current job's changes and writes the new states of its vaults.
    ///
    /// - Returns: The states that changed, with zeros for a closed vault. Each needs an audit line.
    /// - Throws: `RecordMismatch` when a row was not what memory has.
    mutating func apply(_ db: Connection) throws -> [VaultID: NodeState.Vault] {
        guard !pending.isEmpty || !closed.isEmpty || !accepted.isEmpty else { return [:] }
        var result: [VaultID: NodeState.Vault] = [:]
        for vault in Set(pending.map(\.vault)).union(closed).union(accepted) {
            if closed.contains(vault) {
                let change = state(of: vault)?.change ?? 0
                working[vault] = Working(records: LoadedRecords(), state: nil)
                try StoredState.put(nil, of: vault, db)
                result[vault] = NodeState.Vault(change: change + 1, digest: .zeros)
            } else if let state = try advance(vault, db) {
                result[vault] = state
            }
        }
        discard()
        return result
    }

    /// Applies the changes of one vault.
    ///
    /// - Returns: Its new state; nil when nothing changed, or when the vault was closed before and only its rows are being erased.
    private mutating func advance(_ vault: VaultID, _ db: Connection) throws -> NodeState.Vault? {
        guard opened.contains(vault) || state(of: vault) != nil else { return nil }
        var current = try base(vault, db)
        for change in pending where change.vault == vault {
            guard current.records[change.table, change.key] == change.old else {
                throw RecordMismatch(vault: vault, finding: "a row of \(change.table.text) is not the committed one")
            }
            current.records[change.table, change.key] = change.new
        }
        let digest = current.records.digest()
        guard digest != current.state?.digest else { return nil }
        let state = NodeState.Vault(change: (current.state?.change ?? 0) + 1, digest: digest)
        current.state = state
        working[vault] = current
        try StoredState.put(state, of: vault, db)
        return state
    }

    /// The vault's state before the current job; nil for one that is closed or never was.
    private func state(of vault: VaultID) -> NodeState.Vault? {
        if let known = working[vault] { known.state } else { memory.state(of: vault) }
    }

    /// The vault's records before the current job.
    private mutating func base(_ vault: VaultID, _ db: Connection) throws -> Working {
        if let known = working[vault], known.state != nil { return known }
        guard !opened.contains(vault), let state = memory.state(of: vault) else {
            return Working(records: LoadedRecords(), state: nil)
        }
        if let records = memory.loaded(vault) { return Working(records: records, state: state) }
        let loaded = Working(records: try read(vault, expecting: state, db), state: state)
        working[vault] = loaded
        return loaded
    }

    /// Reads a vault's records from the file, which already has the current job's changes, and takes those back.
    private func read(_ vault: VaultID, expecting state: NodeState.Vault, _ db: Connection) throws -> LoadedRecords {
        var records = try LoadedRecords(of: vault, memory.tables, db)
        for change in pending.reversed() where change.vault == vault {
            guard records[change.table, change.key] == change.new else {
                throw RecordMismatch(
                    vault: vault, finding: "a row of \(change.table.text) was not written as it should be")
            }
            records[change.table, change.key] = change.old
        }
        guard records.digest() == state.digest else {
            throw RecordMismatch(vault: vault, finding: "its records are not those of its state")
        }
        return records
    }

    /// The sum of all vaults after this batch.
    var node: NodeState {
        var node = memory.node
        for (vault, changed) in working { node.set(vault, to: changed.state) }
        return node
    }
}
