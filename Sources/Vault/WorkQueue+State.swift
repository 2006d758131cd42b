import VaultFormat

/// The scheduler's state: waiting, suspended and running work, and the choice of the next.
extension WorkQueue {
    /// Running, suspended and waiting work by vault.
    struct State {
        var running: Set<VaultID> = []
        /// The vault that runs work that cannot yield.
        var nonYielding: VaultID?
        /// The number of a vault's work items that wait for its lock instead of a slot.
        var blocked: [VaultID: Int] = [:]
        /// Work that has begun, has yielded and waits for a slot; more than one item where some was urgent.
        var suspended: [VaultID: [Suspended]] = [:]
        /// Whether the slot that was given last went to urgent work.
        var wasUrgent = false
        /// Vaults with waiting or suspended work, in order of arrival.
        var schedule: [VaultID] = []
        var waiting: [VaultID: [Waiting]] = [:]
        /// Recent processor time by vault.
        var usage: [VaultID: Usage] = [:]

        /// The number of suspended vaults from which on no other work begins: each keeps its partial results in memory.
        private static let mostSuspended = 24
        /// Whether an urgent change waits for the lock that a vault's work holds.
        let hasUrgentWaiter: @Sendable (VaultID) -> Bool

        /// All work that may run now.
        mutating func starts(width: Int) -> [Next] {
            var starts: [Next] = []
            while let next = next(width: width) { starts.append(next) }
            return starts
        }

        private mutating func next(width: Int) -> Next? {
            guard running.count < width else { return nil }
            let now = ContinuousClock.now
            let ready = schedule.indices.filter { isReady(schedule[$0], at: now) }
            let (urgentOnes, others) = (
                ready.filter { isUrgent(schedule[$0]) }, ready.filter { !isUrgent(schedule[$0]) }
            )
            wasUrgent = !urgentOnes.isEmpty && (others.isEmpty || !wasUrgent)
            let index = (wasUrgent ? urgentOnes : others).min {
                rank(schedule[$0], at: now) < rank(schedule[$1], at: now)
            }
            guard let index else { return nil }
            let vault = schedule.remove(at: index)
            running.insert(vault)
            defer { if suspended[vault] != nil || waiting[vault] != nil { schedule.append(vault) } }
            var queue = waiting[vault] ?? []
            let able = queue.indices.filter { nonYielding == nil || !queue[$0].work.isNonYielding }
            let urgent = able.first { queue[$0].work.isUrgent }
            if urgent == nil, let paused = suspended[vault] {
                let first = paused.firstIndex(where: \.isUrgent) ?? 0
                suspended[vault] = paused.count > 1 ? Array(paused[..<first] + paused[(first + 1)...]) : nil
                return paused[first].next
            }
            let first = urgent ?? able.first { queue[$0].work.party == .owner } ?? able[0]
            let chosen = queue.remove(at: first)
            waiting[vault] = queue.isEmpty ? nil : queue
            if chosen.work.isNonYielding { nonYielding = vault }
            return chosen.next
        }

        func hasUrgent(_ vault: VaultID) -> Bool {
            waiting[vault]?.contains { $0.work.isUrgent && (nonYielding == nil || !$0.work.isNonYielding) } ?? false
        }

        /// Whether a vault has suspended work, or may begin some. While many vaults are suspended, only those with little recent
        /// usage may begin.
        func isReady(_ vault: VaultID, at now: ContinuousClock.Instant) -> Bool {
            guard !running.contains(vault) else { return false }
            if hasUrgent(vault) || suspended[vault] != nil { return true }
            guard blocked[vault] == nil else { return false }
            guard let queue = waiting[vault], nonYielding == nil || queue.contains(where: { !$0.work.isNonYielding })
            else {
                return false
            }
            return suspended.count < Self.mostSuspended || rank(vault, at: now) <= Usage.little
        }

        /// Whether no more work may be suspended: work begun beyond the bound finishes without yielding, or fails.
        var isFull: Bool { suspended.count >= 2 * Self.mostSuspended }

        /// Recent usage, by which the vault with the least goes first. Below `Usage.little` all rank equally and run round-robin:
        /// otherwise each new vault, one of a thousand, would go before those that have worked for a while.
        private func rank(_ vault: VaultID, at now: ContinuousClock.Instant) -> Double {
            max(usage[vault]?.amount(at: now) ?? 0, Usage.little)
        }

        /// Whether a vault has urgent work, or holds a lock for which an urgent change of its own waits. Urgent work gets every
        /// second slot and no more: otherwise a stream of urgent requests would have the processor to itself.
        private func isUrgent(_ vault: VaultID) -> Bool {
            hasUrgent(vault) || suspended[vault]?.contains(where: \.isUrgent) == true || hasUrgentWaiter(vault)
        }

        /// Takes the slot from a vault and charges its time.
        mutating func stop(_ vault: VaultID, since start: ContinuousClock.Instant) {
            running.remove(vault)
            if nonYielding == vault { nonYielding = nil }
            charge(vault, since: start)
        }

        mutating func charge(_ vault: VaultID, since start: ContinuousClock.Instant) {
            let now = ContinuousClock.now
            if usage.count >= Usage.mostVaults { usage = usage.filter { $0.value.amount(at: now) > 0.001 } }
            usage[vault] = Usage(
                seconds: (usage[vault]?.amount(at: now) ?? 0) + start.duration(to: now) / .seconds(1), at: now)
        }
    }

    /// Decaying processor time of a vault: after a second it counts half, after two a third. The short memory keeps a vault
    /// that works quietly from ranking behind every new one.
    struct Usage {
        let seconds: Double
        let at: ContinuousClock.Instant
        static let mostVaults = 1_000
        static let little = 0.05

        func amount(at now: ContinuousClock.Instant) -> Double {
            seconds / max(1, 1 + at.duration(to: now) / .seconds(1))
        }
    }

    /// Continuation of work that waits for a slot; resumed with false when it is refused.
    typealias Next = CheckedContinuation<Bool, Never>

    struct Waiting {
        let work: Work
        let next: Next
    }

    struct Suspended {
        let isUrgent: Bool
        let next: Next
    }

    /// A work item's owner and scheduling attributes.
    struct Work {
        let vault: VaultID
        let principal: PrincipalID
        let party: Party
        var isUrgent = false
        var isRefusable = true
        var isNonYielding = false
    }
}
