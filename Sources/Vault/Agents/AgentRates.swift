import Synchronization
import VaultFormat

/// Rate limit of each agent's uses per minute, as a leaky bucket. A use is a read of a value or a write, as counted by `maxUses`.
///
/// After an unclean shutdown buckets begin full, so that a crash does not grant another minute's uses.
package final class AgentRates: Sendable {
    private let levels = Mutex<[PrincipalID: Level]>([:])
    private let fullSince: Double?
    private let now: @Sendable () -> Int64
    private static let most = 10_000

    private struct Level {
        var used: Double
        var at: Double
        let refill: Double

        func used(at time: Double) -> Double { max(0, used - max(0, time - at) * refill) }
    }

    /// `isUnclean`: Whether the previous process did not shut down cleanly.
    package init(isUnclean: Bool, now: @escaping @Sendable () -> Int64) {
        fullSince = isUnclean ? Double(now()) : nil
        self.now = now
    }

    /// Runs `body` and counts it as `uses` of an agent's token. A failure is not counted.
    ///
    /// - Throws: `VaultError.rateLimited` when the minute's uses are used up.
    func using<R>(
        _ permit: Permit, uses: Int = 1, _ body: () async throws -> R
    ) async throws -> R {
        guard let rate = permit.obligations.ratePerMinute else { return try await body() }
        let principal = permit.principal
        guard uses <= rate else {
            throw VaultError.invalid(
                "values", "must be at most \(rate), the number of reads that this token may make in a minute")
        }
        if let wait = wait(principal.id, perMinute: rate, uses: uses, at: Double(now())) {
            throw VaultError.rateLimited(retryAfter: wait)
        }
        do {
            return try await body()
        } catch {
            levels.withLock { $0[principal.id]?.used -= Double(uses) }
            throw error
        }
    }

    /// Counts the uses and returns nil, or returns the seconds to wait. `time` in seconds.
    private func wait(_ agent: PrincipalID, perMinute rate: Int, uses: Int, at time: Double) -> Int? {
        let refill = Double(rate) / 60
        return levels.withLock { levels in
            if levels.count >= Self.most { levels = levels.filter { $0.value.used(at: time) > 0 } }
            let known =
                levels[agent]
                ?? Level(used: fullSince == nil ? 0 : Double(rate), at: fullSince ?? time, refill: refill)
            let used = min(Level(used: known.used, at: known.at, refill: refill).used(at: time), Double(rate))
            guard used + Double(uses) <= Double(rate) else {
                levels[agent] = Level(used: used, at: time, refill: refill)
                return max(1, Int(((used + Double(uses) - Double(rate)) / refill).rounded(.up)))
            }
            levels[agent] = Level(used: used + Double(uses), at: time, refill: refill)
            return nil
        }
    }
}
