extension FailoverPolicy {
    /// Times in milliseconds.
    package struct Rules: Equatable, Sendable {
        /// So many nodes stay in the name, however ill.
        package var floor: Int
        /// How long a node must be well before it comes back.
        package var hold: Int64 = 120_000
        package var longestHold: Int64 = 3_600_000
        /// After so long in the name, earlier illness is forgotten.
        package var calm: Int64 = 21_600_000
        /// Without a look for so long, nobody knows whether a node was well meanwhile. A look that waits for everybody's
        /// answer takes half of it.
        package var blind: Int64 = 60_000
        /// What is odd for so long is told.
        package var patience: Int64 = 300_000

        package init(floor: Int) { self.floor = floor }

        /// For looks that are so many seconds apart.
        package init(floor: Int, interval: Int) {
            self.floor = floor
            blind = max(blind, Int64(interval) * 3_000)
        }

        package func hold(after relapses: Int) -> Int64 {
            // Nobody waits for 2^20 times anything.
            min(longestHold, hold << Int64(min(max(relapses - 1, 0), 20)))
        }
    }

    package struct Member: Equatable, Sendable {
        package var name: String
        package var region: String
        /// When a person wants it out.
        package var hand: ManualOverride?

        package init(name: String, region: String, hand: ManualOverride? = nil) {
            self.name = name
            self.region = region
            self.hand = hand
        }
    }

    struct Stay: Codable, Equatable, Sendable {
        /// Nil: in the name.
        var out: Int64?
        var reason = ""
        /// While it is out.
        var wellSince: Int64?
        var withdrawals = 0
        var returned: Int64?
        /// Ill, and kept in the name all the same; told once.
        var isKept = false
        /// While it is in the name.
        var odd: Odd?

        struct Odd: Codable, Equatable, Sendable {
            var since: Int64
            var isTold = false
        }
    }
}

extension FailoverPolicy.Stay {
    /// Who returns first when somebody must: the longest well, then the longest out.
    func rank(_ name: String) -> (Int64, Int64, String) { (wellSince ?? .max, out ?? 0, name) }

    func back(at now: Int64) -> Self { Self(withdrawals: withdrawals, returned: now) }

    func leaving(at now: Int64, because reason: String, _ rules: FailoverPolicy.Rules) -> Self {
        let isRelapse = returned.map { now - $0 < rules.calm } ?? false
        return Self(out: now, reason: reason, withdrawals: isRelapse ? withdrawals + 1 : 1, returned: returned)
    }
}
