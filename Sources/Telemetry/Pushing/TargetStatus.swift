import Synchronization

/// Push status of one target. Targets are independent of each other.
final class TargetStatus<C: Clock>: Sendable where C.Duration == Duration {
    let target: PushTarget
    private let state = Mutex(State())

    private struct State {
        var isInFlight = false
        var dropped: Int64 = 0
        /// Consecutive failures.
        var failures: Int64 = 0
        var lastLogged: C.Instant?
        var ping: Int64?
        var clockOffset: Int64?
        var auditWant: Int64?
    }

    /// What the next heartbeat reports about the previous ones.
    struct Previous {
        let dropped: Int64
        let ping: Int64?
        let clockOffset: Int64?
        /// The line of the audit chain that the target asked for.
        let auditWant: Int64?
    }

    init(_ target: PushTarget) {
        self.target = target
    }

    /// Starts a push; nil while another one is in flight.
    func begin() -> Previous? {
        state.withLock { state in
            guard !state.isInFlight else { return nil }
            state.isInFlight = true
            return Previous(
                dropped: state.dropped, ping: state.ping, clockOffset: state.clockOffset, auditWant: state.auditWant)
        }
    }

    func end() { state.withLock { $0.isInFlight = false } }

    /// Records a delivery. Returns the number of consecutive heartbeats lost before it.
    func delivered(ping: Int64, clockOffset: Int64?, auditWant: Int64?) -> Int64 {
        state.withLock { state in
            state.ping = ping
            state.auditWant = auditWant
            state.clockOffset = clockOffset
            defer { (state.failures, state.lastLogged) = (0, nil) }
            return state.failures
        }
    }

    /// Records a lost heartbeat. Failures number 1, 2, 4, 8 and so on are logged, and at least one per hour: a monitor
    /// that is down for a week must not fill the journal.
    ///
    /// - Parameter now: Time of the failure.
    /// - Returns: Consecutive lost heartbeats, and whether to log.
    func dropped(at now: C.Instant) -> (consecutive: Int64, shouldLog: Bool) {
        state.withLock { state in
            state.dropped += 1
            state.failures += 1
            // Values of an old response must not be sent as new ones.
            (state.ping, state.clockOffset) = (nil, nil)
            let isHourOver = state.lastLogged.map { $0.duration(to: now) >= .seconds(3_600) } ?? true
            let shouldLog = isHourOver || state.failures & (state.failures - 1) == 0
            if shouldLog { state.lastLogged = now }
            return (state.failures, shouldLog)
        }
    }
}
