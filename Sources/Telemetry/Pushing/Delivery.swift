import Synchronization

/// How pushing to one target has gone so far. Targets know nothing of each other.
final class Delivery<C: Clock>: Sendable where C.Duration == Duration {
    let target: PushTarget
    private let state = Mutex(State())

    private struct State {
        var isUnderWay = false
        var dropped: Int64 = 0
        /// In a row.
        var failures: Int64 = 0
        var lastLogged: C.Instant?
        var ping: Int64?
        var clockOffset: Int64?
    }

    /// What the next beat tells of those before.
    struct Past {
        let dropped: Int64
        let ping: Int64?
        let clockOffset: Int64?
    }

    init(_ target: PushTarget) {
        self.target = target
    }

    /// Nil while a push is under way.
    func begin() -> Past? {
        state.withLock { state in
            guard !state.isUnderWay else { return nil }
            state.isUnderWay = true
            return Past(dropped: state.dropped, ping: state.ping, clockOffset: state.clockOffset)
        }
    }

    func end() { state.withLock { $0.isUnderWay = false } }

    /// How many beats in a row had not been delivered before this one.
    func delivered(ping: Int64, clockOffset: Int64?) -> Int64 {
        state.withLock { state in
            state.ping = ping
            state.clockOffset = clockOffset
            defer { (state.failures, state.lastLogged) = (0, nil) }
            return state.failures
        }
    }

    /// The first failure is remarkable, then the second, fourth, eighth, and in any case one an hour: a monitor that is
    /// dead for a week must not fill the journal.
    ///
    /// - Parameter now: When the beat was given up.
    /// - Returns: How many in a row were dropped, and whether to say so.
    func dropped(at now: C.Instant) -> (inARow: Int64, isRemarkable: Bool) {
        state.withLock { state in
            state.dropped += 1
            state.failures += 1
            // Figures of an answer that is long past would pass for new ones.
            (state.ping, state.clockOffset) = (nil, nil)
            let isHourOver = state.lastLogged.map { $0.duration(to: now) >= .seconds(3_600) } ?? true
            let isRemarkable = isHourOver || state.failures & (state.failures - 1) == 0
            if isRemarkable { state.lastLogged = now }
            return (state.failures, isRemarkable)
        }
    }
}
