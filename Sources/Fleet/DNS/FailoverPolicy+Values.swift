extension FailoverPolicy {
    /// Limits and periods. Times are in milliseconds.
    package struct Rules: Equatable, Sendable {
        /// The minimum number of nodes in the name, healthy or not.
        package var floor: Int
        /// How long a node must be healthy before it is restored.
        package var holdDown: Int64 = 120_000
        package var maximumHoldDown: Int64 = 3_600_000
        /// A withdrawal this soon after the last restore counts as a relapse.
        package var relapseWindow: Int64 = 21_600_000
        /// After a longer time without an evaluation, earlier health does not count. An evaluation that waits for every
        /// response takes half of it.
        package var maximumGap: Int64 = 60_000
        /// A discrepancy is reported after this time.
        package var discrepancyDelay: Int64 = 300_000

        package init(floor: Int) { self.floor = floor }

        /// Rules for evaluations every `interval` seconds.
        package init(floor: Int, interval: Int) {
            self.floor = floor
            maximumGap = max(maximumGap, Int64(interval) * 3_000)
        }

        package func holdDown(after withdrawals: Int) -> Int64 {
            // The shift is bounded to avoid overflow.
            min(maximumHoldDown, holdDown << Int64(min(max(withdrawals - 1, 0), 20)))
        }
    }

    package struct Member: Equatable, Sendable {
        package var name: String
        package var region: String
        package var manualOverride: ManualOverride?

        package init(name: String, region: String, manualOverride: ManualOverride? = nil) {
            self.name = name
            self.region = region
            self.manualOverride = manualOverride
        }
    }

    /// The state of one member, saved over restarts.
    struct MemberState: Codable, Equatable, Sendable {
        /// Nil while it is in the name.
        var withdrawnAt: Int64?
        var reason = ""
        /// Nil while it is in the name or unhealthy.
        var healthySince: Int64?
        /// Consecutive withdrawals within the relapse window.
        var withdrawals = 0
        var restoredAt: Int64?
        /// It is unhealthy and stays in the name because of the limits; reported once.
        var isKeptUnhealthy = false
        /// Nil while it is withdrawn.
        var discrepancy: Discrepancy?

        private enum CodingKeys: String, CodingKey {
            case withdrawnAt = "out"
            case reason
            case healthySince = "wellSince"
            case withdrawals
            case restoredAt = "returned"
            case isKeptUnhealthy = "isKept"
            case discrepancy = "odd"
        }

        struct Discrepancy: Codable, Equatable, Sendable {
            var since: Int64
            var isReported = false

            private enum CodingKeys: String, CodingKey {
                case since
                case isReported = "isTold"
            }
        }
    }
}

extension FailoverPolicy.MemberState {
    /// Sorts nodes to restore: the longest healthy first, then the longest withdrawn.
    func restoreRank(_ name: String) -> (Int64, Int64, String) { (healthySince ?? .max, withdrawnAt ?? 0, name) }

    func restored(at now: Int64) -> Self { Self(withdrawals: withdrawals, restoredAt: now) }

    func withdrawn(at now: Int64, because reason: String, _ rules: FailoverPolicy.Rules) -> Self {
        let isRelapse = restoredAt.map { now - $0 < rules.relapseWindow } ?? false
        return Self(
            withdrawnAt: now, reason: reason, withdrawals: isRelapse ? withdrawals + 1 : 1, restoredAt: restoredAt)
    }
}
