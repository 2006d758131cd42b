import Synchronization

/// Limits the logging of an error that occurs many times a second to once a minute.
final class FailureThrottle: Sendable {
    private struct State {
        var isFailing = false
        /// Failures since the last log line.
        var count = 0
        /// Monotonic milliseconds.
        var loggedAt: Int64 = 0
    }

    private let state = Mutex(State())
    private static let logInterval: Int64 = 60_000

    var isFailing: Bool { state.withLock(\.isFailing) }

    /// Records a failure.
    ///
    /// - Returns: The number of failures to log; nil when the last log line is less than a minute old.
    func recordFailure(at now: Int64) -> Int? {
        state.withLock { state in
            state.count += 1
            if state.isFailing, now - state.loggedAt < Self.logInterval { return nil }
            defer { state = State(isFailing: true, count: 0, loggedAt: now) }
            return state.count
        }
    }

    /// Records a success.
    ///
    /// - Returns: Whether it ends a failure.
    func recordSuccess() -> Bool {
        state.withLock { state in
            defer { state.isFailing = false }
            return state.isFailing
        }
    }
}
