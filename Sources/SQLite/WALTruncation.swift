import Synchronization

/// Truncates the WAL once for all concurrent callers, with a back-off after a reader blocked it: each attempt delays every
/// commit while it waits.
package final class WALTruncation: Sendable {
    private typealias Waiter = CheckedContinuation<Bool, any Error>

    private struct State {
        var waiters: [Waiter] = []
        var notBefore = ContinuousClock.now
    }

    private let state = Mutex(State())
    /// Milliseconds to wait for readers. Look-ups end within that time; a backup does not.
    private static let busyTimeout = 50
    private static let backOff = Duration.seconds(5)

    package init() {}

    /// The number of waiting callers.
    package var waiters: Int { state.withLock { $0.waiters.count } }

    /// Waits for a truncation. `schedule`: Called for the first waiter; must cause one call of `run`.
    ///
    /// - Returns: Whether the WAL was truncated.
    package func wait(ignoringBackOff: Bool = false, schedule: () -> Void) async throws -> Bool {
        try await withCheckedThrowingContinuation { (continuation: Waiter) in
            let count = state.withLock { state -> Int? in
                guard ignoringBackOff || ContinuousClock.now >= state.notBefore else { return nil }
                state.waiters.append(continuation)
                return state.waiters.count
            }
            if count == 1 { schedule() }
            if count == nil { continuation.resume(returning: false) }
        }
    }

    /// Truncates on the writer's connection, outside any transaction.
    package func run(on database: Connection) {
        let waiters = state.withLock { state in
            defer { state.waiters = [] }
            return state.waiters
        }
        let outcome = Result {
            try database.script("PRAGMA busy_timeout = \(Self.busyTimeout)")
            defer { try? database.script("PRAGMA busy_timeout = 5000") }
            return try database.first("PRAGMA wal_checkpoint(TRUNCATE)") { $0.int(0) == 0 } ?? false
        }
        if case .success(false) = outcome { state.withLock { $0.notBefore = .now + Self.backOff } }
        for waiter in waiters { waiter.resume(with: outcome) }
    }
}
