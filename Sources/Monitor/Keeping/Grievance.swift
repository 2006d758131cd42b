import Synchronization

/// Something that fails many times a second, and is said once a minute.
final class Grievance: Sendable {
    private struct State {
        var isGoingOn = false
        /// In a row that failed, and were not said.
        var count = 0
        /// Steady milliseconds.
        var saidAt: Int64 = 0
    }

    private let state = Mutex(State())
    private static let pause: Int64 = 60_000

    var isGoingOn: Bool { state.withLock(\.isGoingOn) }

    /// - Returns: How many failed since it was said last; nil while that was less than a minute ago.
    func failed(at now: Int64) -> Int? {
        state.withLock { state in
            state.count += 1
            if state.isGoingOn, now - state.saidAt < Self.pause { return nil }
            defer { state = State(isGoingOn: true, count: 0, saidAt: now) }
            return state.count
        }
    }

    /// - Returns: Whether that is news.
    func worked() -> Bool {
        state.withLock { state in
            defer { state.isGoingOn = false }
            return state.isGoingOn
        }
    }
}
