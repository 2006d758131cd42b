import Synchronization
package import VaultFormat

/// Operations of each vault in a day, as a token bucket: each leaves a line in the audit log for ever, so nobody may fill
/// the disk with them.
package final class OperationBudget: Sendable {
    private let levels = Mutex<[VaultID: Level]>([:])
    private let perDay: Int
    /// When the process began after an unclean stop: half a day's worth counts as used then, so that no crash gives a day's
    /// worth again.
    private let halfSince: Int64?
    private let now: @Sendable () -> Int64
    /// Some 50 bytes each. Only vaults that are active within a day are in the table.
    private static let mostVaults = 20_000

    private struct Level {
        var used: Double
        var at: Int64
    }

    /// `isUnclean`: Whether the process before this one ended without a word.
    package init(perDay: Int, isUnclean: Bool = false, now: @escaping @Sendable () -> Int64) {
        self.perDay = perDay
        halfSince = isUnclean ? now() : nil
        self.now = now
    }

    /// Whose operations they are: each may only use so much of the budget, so that none keeps the next from his.
    package enum Share: Sendable {
        /// All agents together.
        case agents
        case owner
        /// What takes access away from somebody and can be repeated.
        case urgent
        /// The same with a secret of its own: who has a session alone must not use up what the owner needs to end it.
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

    /// The same for a principal.
    package func spend(for principal: Principal, count: Int = 1) throws(VaultError) {
        try spend(principal.vault, count: count, share: principal.party == .owner ? .owner : .agents)
    }

    /// Counts operations.
    ///
    /// - Throws: `VaultError.tooManyOperations` with the seconds until there is room.
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
