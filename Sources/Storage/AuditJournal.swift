package import Crypto
import Encoding
package import SQLite
import Synchronization
package import Vault
package import VaultFormat

/// Appends audit lines to the chain within the writer's transactions, follows the records that they change, and authenticates the
/// head with the sum of all vaults' states once per commit.
package final class AuditJournal: BatchObserver {
    private let key: SymmetricKey
    private let onFault: @Sendable (any Error) -> Void
    private let onForeignCommit: @Sendable () -> Void
    /// `PRAGMA data_version` of the writer's connection: another number once another program has committed.
    private let dataVersion = Atomic(0)
    let memory: StateMemory
    private let state: Mutex<State>
    /// The epoch that begins with the next commit.
    private let nextEpoch = Mutex<Int64?>(nil)

    private struct State {
        var committed: AuditHead
        var current: AuditChain
        var changes: StateChanges
        /// The states of all vaults after this batch, from `batchWillCommit` on.
        var node: NodeState?
        /// Chain and changes before the current job.
        var mark: (AuditChain, StateChanges)
        /// Whether the code over the verified schema was written, which the first commit does.
        var isSchemaSealed = false

        init(_ head: AuditHead, _ memory: StateMemory) {
            committed = head
            current = head.chain
            changes = StateChanges(memory)
            mark = (current, changes)
        }
    }

    /// `mostRecords`: Records whose digests are kept in memory, 48 bytes each.
    /// `onForeignCommit`: Called when another program has written to the file, before what it wrote is compared.
    /// `onDamage`: Called once for each vault whose records were changed by another program, with what was found.
    package init(
        key: SymmetricKey, mostRecords: Int = 700_000,
        onFault: @escaping @Sendable (any Error) -> Void,
        onDamage: @escaping @Sendable (VaultID, String) -> Void = { _, _ in },
        onForeignCommit: @escaping @Sendable () -> Void = {}
    ) {
        self.key = key
        self.onFault = onFault
        self.onForeignCommit = onForeignCommit
        memory = StateMemory(mostRecords: mostRecords, onDamage: onDamage)
        state = Mutex(State(AuditHead(epoch: 0, chain: .start), memory))
    }

    /// The last committed head, as reported in heartbeats.
    package var head: AuditHead { state.withLock { $0.committed } }

    /// Checks the schema, reads head and states, and checks the head's code.
    ///
    /// When the code fails, each vault's state is taken from the log: vaults whose stored state differs are damaged, and the others
    /// are served.
    ///
    /// - Throws: `VaultError.damaged` when the head is missing, or schema or head fail authentication.
    package func load(from database: Database) throws {
        try database.lookUp { db in try db.snapshot { try load($0) } }
    }

    func load(_ db: Connection) throws {
        let differences = try Schema.differences(db, key: key)
        guard differences.isEmpty else { throw VaultError.damaged(differences.joined(separator: "; ")) }
        let verified = try VerifiedState(db, key: key)
        let tables = try RecordTables(db)
        // The node's own records include the list of tables, so that it counts from here on.
        var own = try LoadedRecords(of: .node, tables, db)
        guard own.digest() == verified.states.vaults[.node]?.digest else {
            throw VaultError.damaged("the node's own records are not those of its state: corruption or tampering")
        }
        memory.start(verified.states, tables: tables)
        state.withLock { $0 = State(verified.head, memory) }
        for (vault, finding) in verified.damaged { memory.noteDamage(RecordMismatch(vault: vault, finding: finding)) }
    }

    /// Observes the writer's changes of records.
    package func start(on database: Connection) throws {
        dataVersion.store(try database.dataVersion, ordering: .relaxed)
        let tables = try RecordTables(database)
        database.observeRowChanges(in: tables.all.map(\.name)) { [self] change in
            state.withLock { $0.changes.note(change, tables) }
        }
    }

    // MARK: Jobs

    /// Appends lines within the open transaction, on the writer's thread. The first line of each vault whose records the job changed
    /// states what they are now.
    ///
    /// - Throws: `RecordMismatch` when a changed row was not the committed one, `ChangeWithoutLine`.
    func append(_ lines: [SealedAuditLine], _ database: Connection) throws {
        try state.withLock { state in
            var changed = try state.changes.apply(database)
            for line in lines {
                var line = line
                line.state = changed.removeValue(forKey: line.vault ?? .node)
                state.current.append(line)
                try Self.insert(line, state.current, database)
            }
            if let vault = changed.keys.first { throw ChangeWithoutLine(vault: vault) }
        }
    }

    private static func insert(_ line: SealedAuditLine, _ chain: AuditChain, _ database: Connection) throws {
        try database.run(
            "INSERT INTO audit (sequence, time, vault, change, digest, body, hash) VALUES (?, ?, ?, ?, ?, ?, ?)",
            .integer(chain.sequence), .integer(line.time), .blob(line.vault?.bytes), .integer(line.state?.change ?? 0),
            .blob(line.state?.digest.bytes), .blob(line.body), .blob(chain.hash))
    }

    /// The current job accepts a vault's records as the file has them.
    func accept(_ vault: VaultID, _ db: Connection) throws {
        memory.clearDamage(of: vault)
        try state.withLock { try $0.changes.accept(vault, db) }
    }

    /// The current job creates a vault.
    func open(_ vault: VaultID) { state.withLock { $0.changes.open(vault) } }

    /// The current job closes a vault: its rows are no records any more.
    func close(_ vault: VaultID) { state.withLock { $0.changes.close(vault) } }

    func digest(
        of key: Record.Key, in table: TableName, of vault: VaultID, _ db: Connection
    ) throws -> StateDigest? {
        try memory.requireSound(vault)
        return try state.withLock { try $0.changes.digest(of: key, in: table, of: vault, db) }
    }

    func count(in table: TableName, of vault: VaultID, _ db: Connection) throws -> Int {
        try memory.requireSound(vault)
        return try state.withLock { try $0.changes.count(in: table, of: vault, db) }
    }

    package func jobWillRun() {
        state.withLock {
            $0.changes.discard()
            $0.mark = ($0.current, $0.changes)
        }
    }

    /// Records may not change without a line.
    package func jobDidRun(_ database: Connection) throws { try append([], database) }

    package func jobDidFail() { state.withLock { ($0.current, $0.changes) = $0.mark } }

    // MARK: Batches

    /// Compares schema and head with those that the last commit left, if another program has written to the file since: only this
    /// process does.
    ///
    /// - Throws: `ForeignWrite`.
    package func batchDidBegin(_ database: Connection) throws {
        let version = try database.dataVersion
        guard dataVersion.exchange(version, ordering: .relaxed) != version else { return }
        onForeignCommit()
        if let finding = try Schema.differences(database, key: key).first { throw ForeignWrite(finding: finding) }
        do {
            guard try Self.readHead(database, key: key, memory.sum) == self.head else {
                throw ForeignWrite(finding: "another head of the audit log was put in place")
            }
        } catch VaultError.damaged(let finding) {
            throw ForeignWrite(finding: finding)
        }
    }

    package func batchWillCommit(_ database: Connection) throws {
        try state.withLock { state in
            if state.current != state.committed.chain {
                var node = state.changes.node
                let head = AuditHead(epoch: nextEpoch.withLock { $0 } ?? state.committed.epoch, chain: state.current)
                try Self.writeHead(head, key: key, node.digest(), database)
                state.node = node
            }
            if !state.isSchemaSealed { try Schema.seal(database, key: key) }
        }
    }

    package func commit(_ commit: () throws -> Void) throws {
        try memory.withoutCommits {
            try commit()
            state.withLock { state in
                state.committed.chain = state.current
                nextEpoch.withLock {
                    state.committed.epoch = $0 ?? state.committed.epoch
                    $0 = nil
                }
                state.isSchemaSealed = true
                if let node = state.node { memory.update(state.changes.working, node) }
                state.node = nil
                state.changes = StateChanges(memory)
                state.mark = (state.current, state.changes)
            }
        }
    }

    /// The next commit begins a new epoch. Its number is a time, so that two restores of one backup differ.
    func beginEpoch(after last: Int64, at now: Int64) { nextEpoch.withLock { $0 = max(last + 1, now) } }

    /// Runs one job as a batch on a connection without a writer.
    func commitAlone(on database: Connection, _ job: () throws -> Void) throws {
        try database.run("BEGIN IMMEDIATE")
        try batchDidBegin(database)
        jobWillRun()
        try job()
        try jobDidRun(database)
        try batchWillCommit(database)
        try commit { try database.run("COMMIT") }
    }

    /// Reports an error that may be a disk fault.
    func report(_ error: any Error) { onFault(error) }

    package func batchDidFail(_ error: any Error) {
        state.withLock {
            $0.current = $0.committed.chain
            $0.changes = StateChanges(memory)
            $0.node = nil
        }
        onFault(error)
    }
}
