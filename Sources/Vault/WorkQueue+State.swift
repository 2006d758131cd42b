import VaultFormat

/// What waits, rests and runs, and whose turn it is next.
extension WorkQueue {
    /// Whose turn it is.
    struct State {
        var running: Set<VaultID> = []
        /// The one that runs something that cannot rest.
        var lump: VaultID?
        /// How much of a vault's work waits for something other than its turn.
        var away: [VaultID: Int] = [:]
        /// Work that has begun and waits for its turn to go on; more than one where some was urgent.
        var resting: [VaultID: [Resting]] = [:]
        /// Whether the turn that began last was for something urgent.
        var wasUrgent = false
        /// Vaults with waiting work, the next one first.
        var turns: [VaultID] = []
        var waiting: [VaultID: [Waiting]] = [:]
        /// What vaults had of late.
        var usage: [VaultID: Usage] = [:]

        /// Pieces that have begun and given up their turn, beyond which none begins: each holds what it has found so far.
        private static let mostResting = 24
        /// Whether something urgent waits for what a vault's work holds.
        let isAwaited: @Sendable (VaultID) -> Bool

        /// All work whose turn it is.
        mutating func starts(width: Int) -> [Next] {
            var starts: [Next] = []
            while let next = next(width: width) { starts.append(next) }
            return starts
        }

        private mutating func next(width: Int) -> Next? {
            guard running.count < width else { return nil }
            let now = ContinuousClock.now
            let ready = turns.indices.filter { mayGoOn(turns[$0], at: now) }
            let (hurried, others) = (ready.filter { isUrgent(turns[$0]) }, ready.filter { !isUrgent(turns[$0]) })
            wasUrgent = !hurried.isEmpty && (others.isEmpty || !wasUrgent)
            let index = (wasUrgent ? hurried : others).min { rank(turns[$0], at: now) < rank(turns[$1], at: now) }
            guard let index else { return nil }
            let vault = turns.remove(at: index)
            running.insert(vault)
            defer { if resting[vault] != nil || waiting[vault] != nil { turns.append(vault) } }
            var queue = waiting[vault] ?? []
            let able = queue.indices.filter { lump == nil || !queue[$0].work.isLump }
            let urgent = able.first { queue[$0].work.isUrgent }
            if urgent == nil, let rested = resting[vault] {
                let first = rested.firstIndex(where: \.isUrgent) ?? 0
                resting[vault] = rested.count > 1 ? Array(rested[..<first] + rested[(first + 1)...]) : nil
                return rested[first].next
            }
            let first = urgent ?? able.first { queue[$0].work.party == .owner } ?? able[0]
            let chosen = queue.remove(at: first)
            waiting[vault] = queue.isEmpty ? nil : queue
            if chosen.work.isLump { lump = vault }
            return chosen.next
        }

        func hasUrgent(_ vault: VaultID) -> Bool {
            waiting[vault]?.contains { $0.work.isUrgent && (lump == nil || !$0.work.isLump) } ?? false
        }

        /// Whether a vault has work that has begun, or may begin some. While many rest, only who asked for little of late
        /// may begin.
        func mayGoOn(_ vault: VaultID, at now: ContinuousClock.Instant) -> Bool {
            guard !running.contains(vault) else { return false }
            if hasUrgent(vault) || resting[vault] != nil { return true }
            guard away[vault] == nil else { return false }
            guard let queue = waiting[vault], lump == nil || queue.contains(where: { !$0.work.isLump }) else {
                return false
            }
            return resting.count < Self.mostResting || rank(vault, at: now) <= Usage.little
        }

        /// Whether no more may rest: what was begun beyond the bound is short, or is given up.
        var isFull: Bool { resting.count >= 2 * Self.mostResting }

        /// Who had least goes first. All who had little are alike and take turns: one who has just come would otherwise go
        /// before one who has been there for a while, and so would the next of a thousand.
        private func rank(_ vault: VaultID, at now: ContinuousClock.Instant) -> Double {
            max(usage[vault]?.amount(at: now) ?? 0, Usage.little)
        }

        /// Whether a vault has something urgent to do, or keeps something urgent of its own waiting. It has every second turn,
        /// whoever else waits; and no more, or whoever asks for what is urgent all the time would have the processor.
        private func isUrgent(_ vault: VaultID) -> Bool {
            hasUrgent(vault) || resting[vault]?.contains(where: \.isUrgent) == true || isAwaited(vault)
        }

        /// Ends a vault's turn, or a part of it.
        mutating func stop(_ vault: VaultID, since start: ContinuousClock.Instant) {
            running.remove(vault)
            if lump == vault { lump = nil }
            charge(vault, since: start)
        }

        mutating func charge(_ vault: VaultID, since start: ContinuousClock.Instant) {
            let now = ContinuousClock.now
            if usage.count >= Usage.mostVaults { usage = usage.filter { $0.value.amount(at: now) > 0.001 } }
            usage[vault] = Usage(
                seconds: (usage[vault]?.amount(at: now) ?? 0) + start.duration(to: now) / .seconds(1), at: now)
        }
    }

    /// Time that a vault had turns for. After a second it counts half, after two a third: who works all the time is soon
    /// known, and has no long past that one who has just come goes before.
    struct Usage {
        let seconds: Double
        let at: ContinuousClock.Instant
        static let mostVaults = 1_000
        static let little = 0.05

        func amount(at now: ContinuousClock.Instant) -> Double {
            seconds / max(1, 1 + at.duration(to: now) / .seconds(1))
        }
    }

    /// Work that waits for a turn, its first or to go on. Resumed with whether it has it.
    typealias Next = CheckedContinuation<Bool, Never>

    struct Waiting {
        let work: Work
        let next: Next
    }

    struct Resting {
        let isUrgent: Bool
        let next: Next
    }

    /// Whose work it is, and how it is treated.
    struct Work {
        let vault: VaultID
        let holder: HolderID
        let party: Party
        var isUrgent = false
        var isRefusable = true
        var isLump = false
    }
}
