import Synchronization
import Vault

/// Requests per minute of each agent, as a token bucket that holds one minute's worth.
///
/// After an unclean stop buckets begin full: a crash must not give a minute's worth again.
final class AgentRates: Sendable {
    private let levels = Mutex<[HolderID: Level]>([:])
    private let fullSince: Double?
    private static let most = 10_000

    private struct Level {
        var used: Double
        var at: Double
        let refill: Double

        func used(at time: Double) -> Double { max(0, used - max(0, time - at) * refill) }
    }

    /// `fullSince`: When the process began after an unclean stop, in seconds by the clock of `wait`.
    init(fullSince: Double?) {
        self.fullSince = fullSince
    }

    /// Seconds to wait, or nil to go on. `time` in seconds.
    func wait(_ agent: HolderID, perMinute rate: Int, at time: Double) -> Int? {
        let refill = Double(rate) / 60
        return levels.withLock { levels in
            if levels.count >= Self.most { levels = levels.filter { $0.value.used(at: time) > 0 } }
            let known =
                levels[agent]
                ?? Level(used: fullSince == nil ? 0 : Double(rate), at: fullSince ?? time, refill: refill)
            let used = min(Level(used: known.used, at: known.at, refill: refill).used(at: time), Double(rate))
            guard used + 1 <= Double(rate) else {
                levels[agent] = Level(used: used, at: time, refill: refill)
                return max(1, Int(((used + 1 - Double(rate)) / refill).rounded(.up)))
            }
            levels[agent] = Level(used: used + 1, at: time, refill: refill)
            return nil
        }
    }
}
