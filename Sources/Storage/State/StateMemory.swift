import SQLite
import Synchronization
import Vault
import VaultFormat

/// What the records of the file were at the last commit of this process: the reference that every record read is compared with.
///
/// It has the state of all vaults, and the digests of the records of those used last. The others are read from the file at their
/// next use, and count when their sum is the vault's.
final class StateMemory: Sendable {
    private let memory = Mutex(Memory())
    /// Held during a commit until `memory` has its result.
    private let commit = Mutex(())
    private let onDamage: @Sendable (VaultID, String) -> Void
    /// Records in memory, 48 bytes each.
    private let mostRecords: Int

    fileprivate struct Memory {
        var tables: RecordTables?
        var vaults: [VaultID: NodeState.Vault] = [:]
        var node = NodeState()
        var loaded: [VaultID: LoadedRecords] = [:]
        var records = 0
        var uses: UInt64 = 0
        /// What was found in vaults whose records are not those that were committed.
        var damaged: [VaultID: String] = [:]
    }

    init(mostRecords: Int, onDamage: @escaping @Sendable (VaultID, String) -> Void) {
        self.mostRecords = mostRecords
        self.onDamage = onDamage
    }

    // MARK: Start and commits

    /// Replaces everything by the state of the file, which the caller has verified.
    func start(_ state: StoredState, tables: RecordTables) {
        memory.withLock { $0 = Memory(tables: tables, vaults: state.vaults, node: state.node, damaged: $0.damaged) }
    }

    var tables: RecordTables {
        get throws {
            guard let tables = memory.withLock(\.tables) else { throw VaultError.damaged("the state was not loaded") }
            return tables
        }
    }

    var node: NodeState { memory.withLock(\.node) }

    /// The digest over the states of all vaults.
    var sum: StateDigest { memory.withLock { $0.node.digest() } }

    func state(of vault: VaultID) -> NodeState.Vault? { memory.withLock { $0.vaults[vault] } }

    var vaults: [VaultID] { memory.withLock { Array($0.vaults.keys) } }

    /// What was found in damaged vaults.
    var damaged: [VaultID: String] { memory.withLock(\.damaged) }

    func loaded(_ vault: VaultID) -> LoadedRecords? { memory.withLock { $0.loaded[vault] } }

    /// Nothing commits while `body` runs, so that file and memory have the same state.
    func withoutCommits<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
        try commit.withLock { _ throws(E) in try Unsent(body()) }.value
    }

    /// Takes over what a commit has written.
    func update(_ changed: [VaultID: StateChanges.Working], _ node: NodeState) {
        memory.withLock { memory in
            memory.node = node
            for (vault, working) in changed {
                memory.vaults[vault] = working.state
                memory.keep(working.state == nil ? nil : working.records, of: vault, most: mostRecords)
            }
        }
    }

    // MARK: Reading

    /// - Throws: `VaultError.vaultDamaged`.
    func requireSound(_ vault: VaultID) throws(VaultError) {
        if memory.withLock({ $0.damaged[vault] }) != nil { throw .vaultDamaged }
    }

    /// Runs `body` with the digests of a vault's records, reading them from the file if they are not in memory. A vault without a
    /// state, such as one that was closed, has none.
    ///
    /// - Throws: `RecordMismatch` when the file's records are not those of the vault's state.
    func withRecords<R>(of vault: VaultID, _ db: Connection, _ body: (LoadedRecords) throws -> R) throws -> R {
        let known = try memory.withLock { memory throws(VaultError) -> LoadedRecords? in
            if memory.damaged[vault] != nil { throw .vaultDamaged }
            guard memory.vaults[vault] != nil else { return LoadedRecords() }
            guard memory.loaded[vault] != nil else { return nil }
            memory.uses += 1
            memory.loaded[vault]?.lastUse = memory.uses
            return memory.loaded[vault]
        }
        return try body(known ?? load(vault, db))
    }

    private func load(_ vault: VaultID, _ db: Connection) throws -> LoadedRecords {
        var records = try LoadedRecords(of: vault, tables, db)
        let digest = records.digest()
        try memory.withLock { [records] memory in
            guard memory.vaults[vault]?.digest == digest else {
                throw RecordMismatch(vault: vault, finding: "its records are not those of its state")
            }
            memory.keep(records, of: vault, most: mostRecords)
        }
        return records
    }

    /// An operator accepts what the file has.
    func clearDamage(of vault: VaultID) { memory.withLock { $0.damaged[vault] = nil } }

    /// Notes that records of a vault are not those that were committed.
    ///
    /// - Returns: The error for who used them.
    @discardableResult
    func noteDamage(_ mismatch: RecordMismatch) -> VaultError {
        let isNew = memory.withLock { memory in
            memory.loaded[mismatch.vault] = nil
            return memory.damaged.updateValue(mismatch.finding, forKey: mismatch.vault) == nil
        }
        if isNew { onDamage(mismatch.vault, mismatch.finding) }
        return .vaultDamaged
    }
}

/// Rows that differ from the committed ones, or a reader's snapshot that is older or newer than memory.
struct RecordMismatch: Error {
    let vault: VaultID
    let finding: String
}

extension StateMemory.Memory {
    /// Keeps a vault's records in memory, and no more than `most` of all vaults: those used longest ago go.
    fileprivate mutating func keep(_ records: LoadedRecords?, of vault: VaultID, most: Int) {
        self.records -= loaded[vault]?.set.count ?? 0
        uses += 1
        loaded[vault] = records
        loaded[vault]?.lastUse = uses
        self.records += records?.set.count ?? 0
        while self.records > most, loaded.count > 1,
            let oldest = loaded.min(by: { $0.value.lastUse < $1.value.lastUse })?.key
        {
            self.records -= loaded.removeValue(forKey: oldest)?.set.count ?? 0
        }
    }
}
