import Synchronization
package import VaultFormat

/// Lets work that takes milliseconds or more have the processor in turns, away from the event loops.
///
/// A node has one processor, and one request can be worth a second of it: thousands of keys to seal, a log to search. At
/// most `width` pieces of such work run at a time, one of a vault. The vault that had least of late goes first, so that
/// whoever asks for little waits for nobody who asks for much. Within a vault the owner goes before agents.
///
/// Work within a turn of the same vault is a part of it: what is read and the answer that is made of it have one turn.
///
/// Work that takes long gives up its turn between its parts (`breathe`), and work that has to wait for something else is
/// not in anybody's way meanwhile (`waiting`). Either way nothing else of its vault begins before it goes on but what is
/// urgent: what keeps two changes apart is `VaultLocks`.
package final class WorkQueue: Sendable {
    private let width: Int
    /// Of one principal; the next is refused.
    private let mostWaiting: Int
    /// Of all agents of a vault.
    private let mostOfAgents: Int
    /// Unix seconds.
    private let now: @Sendable () -> Int64
    private let state: Mutex<State>

    /// `locks`: For which work waits within its turn.
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

    /// Pieces of work that run now, and that wait.
    package var running: Int { state.withLock { $0.running.count } }
    package var waiting: Int { state.withLock { $0.waiting.values.reduce(0) { $0 + $1.count } } }

    /// Runs `work` when it is the principal's turn, on the threads that tasks share.
    ///
    /// `isLump`: It takes long and cannot rest. One of these runs at a time, beside what does not take long.
    ///
    /// - Throws: `VaultError.busy` when too much of the same principal waits already.
    package func run<R: Sendable>(
        as principal: Principal, isLump: Bool = false, _ work: @escaping @Sendable () async throws -> R
    ) async throws -> R {
        try await run(Work(of: principal, isLump: isLump), work)
    }

    /// The same for work that commits nothing: its principal must still be one when its turn has come.
    package func run<R: Sendable>(
        as principal: Principal, in store: any VaultStore, _ work: @escaping @Sendable () async throws -> R
    ) async throws -> R {
        try await run(Work(of: principal)) {
            let mayGoOn = { @Sendable () async -> VaultError? in
                do {
                    try principal.requireUnexpired(at: self.now())
                    return try await store.holds(principal) ? nil : .principalGone
                } catch {
                    return error as? VaultError ?? .principalGone
                }
            }
            if let refusal = await mayGoOn() { throw refusal }
            let turn = Turn.present
            let before = turn?.ask(mayGoOn)
            defer { if let before { _ = turn?.ask(before) } }
            let result = try await work()
            // It may have been ended meanwhile.
            if let refusal = await mayGoOn() { throw refusal }
            return result
        }
    }

    /// The same for what is left to do for a principal whose request has been performed: it is refused to nobody.
    package func finish<R: Sendable>(
        for principal: Principal, _ work: @escaping @Sendable () async throws -> R
    ) async throws -> R {
        try await run(Work(of: principal, isRefusable: false), work)
    }

    /// The same for somebody who is no principal yet.
    ///
    /// `isUrgent`: Goes before all else of its vault and does not count with it: what a thief's session asks for must not
    /// keep the owner from ending that session.
    package func run<R: Sendable>(
        for holder: HolderID, of party: Party, isUrgent: Bool = false, in vault: VaultID,
        _ work: @escaping @Sendable () async throws -> R
    ) async throws -> R {
        try await run(Work(vault: vault, holder: holder, party: party, isUrgent: isUrgent), work)
    }

    private func run<R: Sendable>(_ work: Work, _ body: @escaping @Sendable () async throws -> R) async throws -> R {
        // A part of what has its turn already.
        if let turn = Turn.present, turn.queue === self, turn.vault == work.vault { return try await body() }
        guard await acquire(work) else { throw VaultError.busy }
        let turn = Turn(queue: self, work)
        defer { release(turn) }
        return try await Turn.$present.withValue(turn) {
            try await withTaskExecutorPreference(globalConcurrentExecutor) {
                // Only what waits for something leaves the event loop that the request came by.
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
                    let own = queue.count { $0.work.holder == work.holder && $0.work.isUrgent == work.isUrgent }
                    guard own < mostWaiting else { return nil }
                    guard work.party == .owner || queue.count(where: { $0.work.party == .agents }) < mostOfAgents else {
                        return nil
                    }
                }
                if !state.turns.contains(vault) { state.turns.append(vault) }
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

    private func release(_ turn: Turn) {
        let starts = state.withLock { state in
            state.stop(turn.vault, since: turn.since)
            return state.starts(width: width)
        }
        Self.resume(starts)
    }
}

extension WorkQueue.Work {
    fileprivate init(of principal: Principal, isRefusable: Bool = true, isLump: Bool = false) {
        self.init(
            vault: principal.vault, holder: principal.holder.id, party: principal.party, isRefusable: isRefusable,
            isLump: isLump)
    }
}

// MARK: Within a turn

extension WorkQueue {
    /// The turn that the present task has.
    private final class Turn: Sendable {
        @TaskLocal static var present: Turn?

        let queue: WorkQueue
        let vault: VaultID
        let isUrgent: Bool
        /// Whether it can be given up for others.
        let isRefusable: Bool
        private let start = Mutex(ContinuousClock.now)
        /// Of work that commits nothing: why it may not go on, once its principal is none any more.
        private let question = Mutex<Question>({ nil })

        typealias Question = @Sendable () async -> VaultError?

        func refusal() async -> VaultError? { await question.withLock { $0 }() }

        /// - Returns: What was asked before.
        func ask(_ next: @escaping Question) -> Question {
            question.withLock { question in
                defer { question = next }
                return question
            }
        }

        /// When it began, or went on.
        var since: ContinuousClock.Instant { start.withLock { $0 } }
        func goesOn() { start.withLock { $0 = .now } }

        init(queue: WorkQueue, _ work: Work) {
            self.queue = queue
            vault = work.vault
            isUrgent = work.isUrgent
            isRefusable = work.isRefusable && !work.isUrgent
        }
    }

    /// How long work has the processor before others that wait go first.
    private static let slice = Duration.milliseconds(20)

    /// Between parts of long work: lets others have their turn first, once this has had the processor for a while.
    ///
    /// - Throws: `VaultError.busy` when too much rests already, and what says that the principal's access has ended. Nothing of the
    ///   work has been done then, or its caller undoes it.
    package static func breathe() async throws(VaultError) {
        guard let turn = Turn.present, turn.since.duration(to: .now) > slice else { return }
        guard await turn.queue.rest(turn) else { throw .busy }
        if let refusal = await turn.refusal() { throw refusal }
    }

    /// Waits for something that others of the same vault have, without keeping a turn from everybody else.
    static func waiting<R>(for something: () async -> R) async -> R {
        guard let turn = Turn.present else { return await something() }
        turn.queue.leave(turn)
        let result = await something()
        await turn.queue.comeBack(turn)
        return result
    }

    /// Whether the work may go on.
    private func rest(_ turn: Turn) async -> Bool {
        let vault = turn.vault
        defer { turn.goesOn() }
        return await withCheckedContinuation { (next: Next) in
            let (answer, starts) = state.withLock { state -> (Bool?, [Next]) in
                let now = ContinuousClock.now
                // A second part of the same work, beside this one, would take its place.
                let hasOther = state.resting[vault]?.contains { $0.isUrgent == turn.isUrgent } == true
                let letsIn = !turn.isUrgent && state.hasUrgent(vault)
                let isAlone =
                    hasOther || !letsIn && !state.turns.contains { state.mayGoOn($0, at: now) }
                if isAlone || turn.isRefusable && state.isFull {
                    state.charge(vault, since: turn.since)
                    return (isAlone, [])
                }
                state.turns.removeAll { $0 == vault }
                state.turns.append(vault)
                state.resting[vault, default: []].append(Resting(isUrgent: turn.isUrgent, next: next))
                state.stop(vault, since: turn.since)
                return (nil, state.starts(width: width))
            }
            if let answer { next.resume(returning: answer) }
            Self.resume(starts)
        }
    }

    private func leave(_ turn: Turn) {
        let starts = state.withLock { state in
            state.stop(turn.vault, since: turn.since)
            state.away[turn.vault, default: 0] += 1
            return state.starts(width: width)
        }
        Self.resume(starts)
    }

    private func comeBack(_ turn: Turn) async {
        let vault = turn.vault
        defer { turn.goesOn() }
        _ = await withCheckedContinuation { (next: Next) in
            let hasTurn = state.withLock { state in
                let others = (state.away[vault] ?? 1) - 1
                state.away[vault] = others > 0 ? others : nil
                if state.running.count < width, !state.running.contains(vault) {
                    state.running.insert(vault)
                    return true
                }
                // Others of its vault wait for what it now has.
                state.turns.removeAll { $0 == vault }
                state.turns.insert(vault, at: 0)
                state.resting[vault, default: []].insert(Resting(isUrgent: turn.isUrgent, next: next), at: 0)
                return false
            }
            if hasTurn { next.resume(returning: true) }
        }
    }
}
