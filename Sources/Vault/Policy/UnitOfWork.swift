package import VaultFormat

/// Runs operations on vaults: authorized, scheduled, and committed together with their audit lines.
///
/// A change reads access rights, seals keys accordingly and writes, so each vault runs one change at a time.
package struct UnitOfWork: Sendable {
    package let store: any VaultStore
    package let audit: AuditSealer
    package let locks: VaultLocks
    package let work: WorkQueue
    package let operations: OperationBudget
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

    /// Runs one change with its action's scheduling, and commits the collected transaction atomically, with the mutations that
    /// fulfil the permit's obligations.
    ///
    /// - Throws: `VaultError.principalGone` when the principal's access ended while it waited, `VaultError.busy` when too many changes
    ///   wait.
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
        guard scheduling.isLong else { return try await change() }
        guard scheduling.isUrgent else { return try await work.run(as: principal, change) }
        return try await work.run(
            for: principal.id, of: principal.party, isUrgent: true, in: principal.vault, change)
    }

    /// The same for an owner who has proved a password or a kit and has no session yet. Always urgent.
    ///
    /// `isLong`: Whether the change is long and goes through the work queue.
    package func change<R: Sendable>(
        byProvenOwnerOf vault: VaultID, isLong: Bool,
        _ body: @escaping @Sendable (inout Transaction) async throws -> R
    ) async throws -> R {
        let change = { @Sendable () async throws -> R in
            try await locks.withLock(vault, isUrgent: true) {
                try await commit(Transaction(vault: vault, party: .owner, in: self), body)
            }
        }
        guard isLong else { return try await change() }
        return try await work.run(for: vault.owner, of: .owner, isUrgent: true, in: vault, change)
    }

    /// Creates a transaction that fulfils the permit's obligations. Reads commit it without the vault's lock.
    ///
    package func transaction(for permit: Permit) -> Transaction { transaction(for: permit, uses: 1, reading: []) }

    /// `reads`: Fields whose values are read.
    func transaction(for permit: Permit, uses: Int, reading reads: [FieldRead]) -> Transaction {
        var transaction = Transaction(vault: permit.principal.vault, party: permit.principal.party, in: self)
        transaction.write(permit.mutations(uses: uses, reading: reads))
        return transaction
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

/// The mutations and audit lines of one unit of work, collected until the commit.
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

    /// Adds an event of the vault to the audit log.
    package mutating func log(_ event: AuditEvent) throws {
        lines.append(try unit.audit.seal(event, vault: vault))
    }

    /// Adds events and charges the operation budget by their size, because audit lines are permanent.
    ///
    /// - Throws: `VaultError.tooManyOperations`.
    mutating func log(charging events: [AuditEvent], share: OperationBudget.Share = .owner) throws {
        let sealed = try events.map { try unit.audit.seal($0, vault: vault) }
        let more = sealed.reduce(0) { $0 + $1.body.count / AuditEvent.bytesPerOperation }
        try unit.operations.spend(vault, count: more, share: party == .owner ? share : .agents)
        lines += sealed
    }

    /// Adds an event under the node's key, for a vault whose audit key this commit deletes.
    package mutating func logUnderNodeKey(_ event: AuditEvent) throws {
        lines.append(try unit.audit.seal(event, vault: nil))
    }

    /// Truncates the WAL after the commit, so that deleted data is not readable there either.
    package mutating func erase() { erases = true }

    /// Deletes the wraps of a key holder after the commit that ends it, and truncates the WAL.
    package mutating func end(_ holder: HolderID) {
        ended.append(holder)
        erases = true
    }

    /// Bytes at rest of the mutations so far.
    var bytesAtRest: Int { mutations.reduce(0) { $0 + $1.bytesAtRest } }

    /// Commits what was collected so far, for a change with several commits or with a compensation on failure. Does nothing when
    /// the transaction is empty.
    ///
    /// - Returns: Whether what the commit ended is erased, also from the WAL. If not, maintenance finishes it.
    @discardableResult
    package mutating func commit() async throws -> Bool {
        if mutations.isEmpty && lines.isEmpty { return true }
        let (mutations, lines, ended, erases) = (mutations, lines, ended, erases)
        self = Transaction(vault: vault, party: party, in: unit)
        try await unit.store.commit(mutations, lines)
        var isErased = true
        for holder in ended where await !unit.store.clear(holder) { isErased = false }
        if erases, await !unit.store.truncateWAL() { isErased = false }
        return isErased
    }
}

extension Action {
    /// Scheduling attributes of a change.
    struct Scheduling {
        /// Goes through the `WorkQueue`.
        var isLong = false
        /// Runs before changes that are not urgent, because it ends access.
        var isUrgent = false
    }

    var scheduling: Scheduling {
        switch self {
        case .createEntry, .changeValues, .changeMetadata, .replaceEntry, .restoreVersion, .untrashEntry, .deposit,
            .acceptDeposit, .createAgent, .changeAgent, .rotateAgent, .rekeyEntry:
            Scheduling(isLong: true)
        case .changePassword, .signOutEverywhere: Scheduling(isLong: true, isUrgent: true)
        case .pauseAgent, .revokeAgent, .endSession, .removePasskey, .rekeyL2, .deleteAccount:
            Scheduling(isUrgent: true)
        case .readValue, .readPastValue, .readCode, .viewEntry, .listEntries, .listTrash, .listDeposits, .listVersions,
            .search, .searchIndex, .trashEntry, .purgeEntry, .rejectDeposit, .viewAgents, .viewDisclosures, .readAudit,
            .viewAccount, .viewCredentials, .listSessions, .changeRecoveryKit, .addPasskey, .renamePasskey,
            .beginSecondFactor, .confirmSecondFactor, .endSecondFactor, .viewL2, .exportL2:
            Scheduling()
        }
    }
}
