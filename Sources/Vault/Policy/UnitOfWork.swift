package import VaultFormat

/// Runs what is done to vaults: permitted, in its turn, with its audit lines in the same commit.
///
/// A change reads who may see what, seals keys to them and writes, so in each vault one change runs at a time.
package struct UnitOfWork: Sendable {
    package let store: any VaultStore
    package let audit: AuditSealer
    package let locks: VaultLocks
    package let work: WorkQueue
    let operations: OperationBudget
    /// Unix seconds.
    package let now: @Sendable () -> Int64

    package init(
        store: any VaultStore, audit: AuditSealer, locks: VaultLocks, work: WorkQueue, operations: OperationBudget,
        now: @escaping @Sendable () -> Int64
    ) {
        self.store = store
        self.audit = audit
        self.locks = locks
        self.work = work
        self.operations = operations
        self.now = now
    }

    /// Runs one change, as urgently as its action is, and commits what the transaction has collected: all of it or nothing.
    ///
    /// - Throws: `VaultError.principalGone` when the principal ended while it waited, `VaultError.busy` when too much waits.
    package func change<R: Sendable>(
        _ permit: Permit, _ body: @escaping @Sendable (inout Transaction) async throws -> R
    ) async throws -> R {
        let (principal, scheduling) = (permit.principal, permit.action.scheduling)
        let change = { @Sendable () async throws -> R in
            try await locks.withLock(for: principal, in: store, isUrgent: scheduling.isUrgent) {
                try principal.requireUnexpired(at: now())
                return try await commit(transaction(for: permit), body)
            }
        }
        guard scheduling.takesTurn else { return try await change() }
        guard scheduling.isUrgent else { return try await work.run(as: principal, change) }
        return try await work.run(
            for: principal.holder.id, of: principal.party, isUrgent: true, in: principal.vault, change)
    }

    /// The same for an owner who has just proved a password or a kit and has no session yet. Urgent.
    ///
    /// `takesTurn`: Whether it is long.
    package func change<R: Sendable>(
        in vault: VaultID, byProven owner: HolderID, takesTurn: Bool,
        _ body: @escaping @Sendable (inout Transaction) async throws -> R
    ) async throws -> R {
        let change = { @Sendable () async throws -> R in
            try await locks.withLock(vault, isUrgent: true) {
                try await commit(Transaction(vault: vault, party: .owner, in: self), body)
            }
        }
        guard takesTurn else { return try await change() }
        return try await work.run(for: owner, of: .owner, isUrgent: true, in: vault, change)
    }

    /// What is committed without the vault's lock: reads.
    package func transaction(for permit: Permit) -> Transaction {
        Transaction(vault: permit.principal.vault, party: permit.principal.party, in: self)
    }

    private func commit<R>(
        _ transaction: Transaction, _ body: (inout Transaction) async throws -> R
    ) async throws -> R {
        var transaction = transaction
        let result = try await body(&transaction)
        try await transaction.commit()
        return result
    }
}

/// What one unit of work writes and what the audit log says of it, collected until it is committed.
package struct Transaction: Sendable {
    private let vault: VaultID
    private let party: Party
    private let unit: UnitOfWork
    private var mutations: [Mutation] = []
    private var lines: [SealedAuditLine] = []
    private var ended: [HolderID] = []
    private var erases = false

    fileprivate init(vault: VaultID, party: Party, in unit: UnitOfWork) {
        self.vault = vault
        self.party = party
        self.unit = unit
    }

    package mutating func write(_ mutations: [Mutation]) { self.mutations += mutations }
    package mutating func write(_ mutations: Mutation...) { self.mutations += mutations }

    /// Adds an event of the vault to the log.
    package mutating func log(_ event: AuditEvent) throws {
        lines.append(try unit.audit.seal(event, vault: vault))
    }

    /// Adds events, each of which costs by its size what it takes of the log: it stays there for ever.
    ///
    /// - Throws: `VaultError.tooManyOperations`.
    mutating func log(charging events: [AuditEvent], share: OperationBudget.Share = .owner) throws {
        let sealed = try events.map { try unit.audit.seal($0, vault: vault) }
        let more = sealed.reduce(0) { $0 + $1.body.count / AuditEvent.bytesPerOperation }
        try unit.operations.spend(vault, count: more, share: party == .owner ? share : .agents)
        lines += sealed
    }

    /// Adds an event under the node's key, for a vault whose own key ends with this commit.
    package mutating func logUnderNodeKey(_ event: AuditEvent) throws {
        lines.append(try unit.audit.seal(event, vault: nil))
    }

    /// Makes what the commit deletes unreadable in the log file too.
    package mutating func erase() { erases = true }

    /// Deletes the wraps of a holder that the commit ends, and erases them.
    package mutating func end(_ holder: HolderID) {
        ended.append(holder)
        erases = true
    }

    /// Bytes that the mutations so far take at rest.
    var bytesAtRest: Int { mutations.reduce(0) { $0 + $1.bytesAtRest } }

    /// Commits what was collected so far, for a change in several parts or with something to undo. Does nothing when nothing
    /// was collected.
    package mutating func commit() async throws {
        if mutations.isEmpty && lines.isEmpty { return }
        let (mutations, lines, ended, erases) = (mutations, lines, ended, erases)
        self = Transaction(vault: vault, party: party, in: unit)
        try await unit.store.commit(mutations, lines)
        for holder in ended { await unit.store.clear(holder) }
        if erases { await unit.store.truncateWAL() }
    }
}

extension Action {
    /// How a change gets its turn.
    struct Scheduling {
        /// Waits in the `WorkQueue`: it takes long.
        var takesTurn = false
        /// Goes before all that is not urgent: it ends somebody's access.
        var isUrgent = false
    }

    var scheduling: Scheduling {
        switch self {
        case .createEntry, .changeValues, .changeMetadata, .replaceEntry, .restoreVersion, .untrashEntry, .deposit,
            .acceptDeposit, .createAgent, .changeAgent, .rotateAgent:
            Scheduling(takesTurn: true)
        case .changePassword, .signOutEverywhere, .rekeyL2: Scheduling(takesTurn: true, isUrgent: true)
        case .pauseAgent, .revokeAgent, .endSession, .deleteAccount: Scheduling(isUrgent: true)
        case .readValue, .readPastValue, .readCode, .viewEntry, .listEntries, .listTrash, .listDeposits, .listVersions,
            .search, .searchIndex, .trashEntry, .purgeEntry, .rejectDeposit, .viewAgents, .viewDisclosures, .readAudit,
            .viewAccount, .listSessions, .changeRecoveryKit, .beginSecondFactor, .confirmSecondFactor,
            .endSecondFactor, .exportL2:
            Scheduling()
        }
    }
}
