import Synchronization
package import VaultFormat

/// Daily budget of operations per vault, as a leaky bucket. Each operation leaves a permanent audit line, so the number is bounded
/// to protect the disk.
package final class OperationBudget: Sendable {
    private let levels = Mutex<[VaultID: Level]>([:])
    private let perDay: Int
    /// Start time after an unclean shutdown. Half a day's budget counts as used then, so that a crash does not grant a new budget.
    private let halfSince: Int64?
    private let now: @Sendable () -> Int64
    /// About 50 bytes each. The table has only vaults that were active within a day.
    private static let mostVaults = 20_000

    private struct Level {
        var used: Double
        var at: Int64
    }

    /// `isUnclean`: Whether the previous process did not shut down cleanly.
    package init(perDay: Int, isUnclean: Bool = false, now: @escaping @Sendable () -> Int64) {
        self.perDay = perDay
        halfSince = isUnclean ? now() : nil
        self.now = now
    }

    /// The class of an operation. Each class may use the budget up to its own limit, so that none exhausts the next one's part.
    package enum Share: Sendable {
        /// Operations of all agents together.
        case agents
        case owner
        /// Revocations that can be repeated.
        case urgent
        /// Revocations with a proof: a stolen session alone must not use up the budget that the owner needs to end it.
        case proven

        fileprivate var most: Double {
            switch self {
            case .agents: 0.8
            case .owner: 1
            case .urgent: 1.1
            case .proven: 1.2
            }
        }
    }

    /// Counts operations of a principal.
    package func spend(for principal: Principal, count: Int = 1) throws(VaultError) {
        try spend(principal.vault, count: count, share: principal.party == .owner ? .owner : .agents)
    }

    /// Counts operations.
    ///
    /// - Throws: `VaultError.tooManyOperations` with the seconds until the next operation is allowed.
    package func spend(_ vault: VaultID, count: Int = 1, share: Share = .owner) throws(VaultError) {
        guard count > 0 else { return }
        let time = now()
        let most = Double(perDay) * share.most
        let refill = Double(perDay) / 86_400
        let wait = levels.withLock { levels -> Int? in
            if levels.count >= Self.mostVaults {
                levels = levels.filter { $0.value.used > Double(time - $0.value.at) * refill }
            }
            var level =
                levels[vault] ?? halfSince.map { Level(used: Double(perDay) / 2, at: $0) } ?? Level(used: 0, at: time)
            level.used = max(0, level.used - Double(max(0, time - level.at)) * refill)
            level.at = time
            let excess = level.used + Double(count) - most
            if excess <= 0 { level.used += Double(count) }
            levels[vault] = level
            return excess > 0 ? max(1, Int((excess / refill).rounded(.up))) : nil
        }
        if let wait { throw .tooManyOperations(retryAfter: wait) }
    }
}
