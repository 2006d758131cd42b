import Synchronization
package import VaultFormat

/// Fair scheduler for work that takes milliseconds or more; runs it away from the event loops.
///
/// A node has one processor, and one request can need a second of it: thousands of keys to seal, a log to search. At
/// most `width` items of such work run at a time, one per vault. The vault with the least recent usage goes first, so that
/// small requests do not wait for large ones. Within a vault the owner goes before agents.
///
/// Work started from within a slot of the same vault runs in that slot: reading and encoding the answer share one.
///
/// Long work yields between its parts (`yieldIfNeeded`), and work that waits for a lock does not hold a slot
/// (`withoutSlot`). In both cases no other work of its vault begins before it continues, except urgent work: changes are kept
/// apart by `VaultLocks`.
package final class WorkQueue: Sendable {
    private let width: Int
    /// Waiting items of one principal; the next is refused.
    private let mostWaiting: Int
    /// Waiting items of all agents of a vault.
    private let mostOfAgents: Int
    /// Unix seconds.
    private let now: @Sendable () -> Int64
    private let state: Mutex<State>

    /// `locks`: The locks that work waits for within its slot.
    package init(
        width: Int = 2, mostWaiting: Int = 40, mostOfAgents: Int = 160, locks: VaultLocks? = nil,
        now: @escaping @Sendable () -> Int64
    ) {
        self.now = now
        state = Mutex(State { locks?.hasUrgent($0) ?? false })
        self.width = width
        self.mostWaiting = mostWaiting
        self.mostOfAgents = mostOfAgents
    }

    /// The number of running items.
    package var running: Int { state.withLock { $0.running.count } }
    /// The number of items that wait for their first slot.
    package var waiting: Int { state.withLock { $0.waiting.values.reduce(0) { $0 + $1.count } } }

    /// Runs `work` once the principal gets a slot, on the global concurrent executor.
    ///
    /// `isNonYielding`: The work is long and cannot yield. One such item runs at a time, so that another slot stays available.
    ///
    /// - Throws: `VaultError.busy` when too many items of the same principal wait already.
    package func run<R: Sendable>(
        as principal: Principal, isNonYielding: Bool = false, _ work: @escaping @Sendable () async throws -> R
    ) async throws -> R {
        try await run(Work(of: principal, isNonYielding: isNonYielding), work)
    }

    /// The same for work that commits nothing: checks before, after and whenever it has yielded that the principal still has
    /// access.
    package func run<R: Sendable>(
        as principal: Principal, in store: any VaultStore, _ work: @escaping @Sendable () async throws -> R
    ) async throws -> R {
        try await run(Work(of: principal)) {
            let checkAccess = { @Sendable () async -> VaultError? in
                do {
                    try principal.requireUnexpired(at: self.now())
                    return try await store.holds(principal) ? nil : .principalGone
                } catch {
                    return error as? VaultError ?? .principalGone
                }
            }
            if let refusal = await checkAccess() { throw refusal }
            let slot = Slot.current
            let before = slot?.setAccessCheck(checkAccess)
            defer { if let before { _ = slot?.setAccessCheck(before) } }
            let result = try await work()
            // Access may have ended meanwhile.
            if let refusal = await checkAccess() { throw refusal }
            return result
        }
    }

    /// The same for the rest of a request that has been committed: never refused.
    package func finish<R: Sendable>(
        for principal: Principal, _ work: @escaping @Sendable () async throws -> R
    ) async throws -> R {
        try await run(Work(of: principal, isRefusable: false), work)
    }

    /// The same for a principal that is not authenticated yet.
    ///
    /// `isUrgent`: Runs before the vault's other work and is counted apart from it, so that requests of a stolen session
    /// cannot keep the owner from ending that session.
    package func run<R: Sendable>(
        for principal: PrincipalID, of party: Party, isUrgent: Bool = false, in vault: VaultID,
        _ work: @escaping @Sendable () async throws -> R
    ) async throws -> R {
        try await run(Work(vault: vault, principal: principal, party: party, isUrgent: isUrgent), work)
    }

    private func run<R: Sendable>(_ work: Work, _ body: @escaping @Sendable () async throws -> R) async throws -> R {
        // A part of work that has a slot already.
        if let slot = Slot.current, slot.queue === self, slot.vault == work.vault { return try await body() }
        guard await acquire(work) else { throw VaultError.busy }
        let slot = Slot(queue: self, work)
        defer { release(slot) }
        return try await Slot.$current.withValue(slot) {
            try await withTaskExecutorPreference(globalConcurrentExecutor) {
                // Without a suspension point the work would stay on the request's event loop.
                await Task.yield()
                return try await body()
            }
        }
    }

    private func acquire(_ work: Work) async -> Bool {
        await withCheckedContinuation { (next: Next) in
            let starts = state.withLock { state -> [Next]? in
                let vault = work.vault
                let queue = state.waiting[vault, default: []]
                if work.isRefusable {
                    let own = queue.count { $0.work.principal == work.principal && $0.work.isUrgent == work.isUrgent }
                    guard own < mostWaiting else { return nil }
                    guard work.party == .owner || queue.count(where: { $0.work.party == .agents }) < mostOfAgents else {
                        return nil
                    }
                }
                if !state.schedule.contains(vault) { state.schedule.append(vault) }
                state.waiting[vault, default: []].append(Waiting(work: work, next: next))
                return state.starts(width: width)
            }
            guard let starts else { return next.resume(returning: false) }
            Self.resume(starts)
        }
    }

    private static func resume(_ starts: [Next]) {
        for start in starts { start.resume(returning: true) }
    }

    private func release(_ slot: Slot) {
        let starts = state.withLock { state in
            state.stop(slot.vault, since: slot.since)
            return state.starts(width: width)
        }
        Self.resume(starts)
    }
}

extension WorkQueue.Work {
    fileprivate init(of principal: Principal, isRefusable: Bool = true, isNonYielding: Bool = false) {
        self.init(
            vault: principal.vault, principal: principal.id, party: principal.party, isRefusable: isRefusable,
            isNonYielding: isNonYielding)
    }
}

// MARK: Within a slot

extension WorkQueue {
    /// The slot of the current task.
    private final class Slot: Sendable {
        @TaskLocal static var current: Slot?

        let queue: WorkQueue
        let vault: VaultID
        let isUrgent: Bool
        /// Whether the work may be refused when it yields.
        let isRefusable: Bool
        private let start = Mutex(ContinuousClock.now)
        /// For work that commits nothing: returns an error once the principal's access has ended.
        private let accessCheck = Mutex<AccessCheck>({ nil })

        typealias AccessCheck = @Sendable () async -> VaultError?

        func refusal() async -> VaultError? { await accessCheck.withLock { $0 }() }

        /// - Returns: The previous check.
        func setAccessCheck(_ next: @escaping AccessCheck) -> AccessCheck {
            accessCheck.withLock { check in
                defer { check = next }
                return check
            }
        }

        /// The time at which the work began or last continued.
        var since: ContinuousClock.Instant { start.withLock { $0 } }
        func restart() { start.withLock { $0 = .now } }

        init(queue: WorkQueue, _ work: Work) {
            self.queue = queue
            vault = work.vault
            isUrgent = work.isUrgent
            isRefusable = work.isRefusable && !work.isUrgent
        }
    }

    /// Processor time after which work yields to others that wait.
    private static let slice = Duration.milliseconds(20)

    /// Yields cooperatively between parts of long work, once its time slice is used up.
    ///
    /// - Throws: `VaultError.busy` when too many vaults are suspended already, or the access check's error. The work must have
    ///   committed nothing yet, or its caller must undo it.
    package static func yieldIfNeeded() async throws(VaultError) {
        guard let slot = Slot.current, slot.since.duration(to: .now) > slice else { return }
        guard await slot.queue.suspend(slot) else { throw .busy }
        if let refusal = await slot.refusal() { throw refusal }
    }

    /// Awaits a lock of the same vault without holding a slot meanwhile.
    static func withoutSlot<R>(_ wait: () async -> R) async -> R {
        guard let slot = Slot.current else { return await wait() }
        slot.queue.block(slot)
        let result = await wait()
        await slot.queue.unblock(slot)
        return result
    }

    /// Gives the slot to others, and waits for the next one.
    ///
    /// - Returns: Whether the work may continue.
    private func suspend(_ slot: Slot) async -> Bool {
        let vault = slot.vault
        defer { slot.restart() }
        return await withCheckedContinuation { (next: Next) in
            let (answer, starts) = state.withLock { state -> (Bool?, [Next]) in
                let now = ContinuousClock.now
                // A second task of the same work is suspended already and would take this one's place.
                let hasOther = state.suspended[vault]?.contains { $0.isUrgent == slot.isUrgent } == true
                let hasUrgent = !slot.isUrgent && state.hasUrgent(vault)
                let isAlone =
                    hasOther || !hasUrgent && !state.schedule.contains { state.isReady($0, at: now) }
                if isAlone || slot.isRefusable && state.isFull {
                    state.charge(vault, since: slot.since)
                    return (isAlone, [])
                }
                state.schedule.removeAll { $0 == vault }
                state.schedule.append(vault)
                state.suspended[vault, default: []].append(Suspended(isUrgent: slot.isUrgent, next: next))
                state.stop(vault, since: slot.since)
                return (nil, state.starts(width: width))
            }
            if let answer { next.resume(returning: answer) }
            Self.resume(starts)
        }
    }

    private func block(_ slot: Slot) {
        let starts = state.withLock { state in
            state.stop(slot.vault, since: slot.since)
            state.blocked[slot.vault, default: 0] += 1
            return state.starts(width: width)
        }
        Self.resume(starts)
    }

    private func unblock(_ slot: Slot) async {
        let vault = slot.vault
        defer { slot.restart() }
        _ = await withCheckedContinuation { (next: Next) in
            let hasSlot = state.withLock { state in
                let others = (state.blocked[vault] ?? 1) - 1
                state.blocked[vault] = others > 0 ? others : nil
                if state.running.count < width, !state.running.contains(vault) {
                    state.running.insert(vault)
                    return true
                }
                // Others of its vault wait for the lock that it now holds.
                state.schedule.removeAll { $0 == vault }
                state.schedule.insert(vault, at: 0)
                state.suspended[vault, default: []].insert(Suspended(isUrgent: slot.isUrgent, next: next), at: 0)
                return false
            }
            if hasSlot { next.resume(returning: true) }
        }
    }
}
