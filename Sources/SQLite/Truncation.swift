import Synchronization

/// Cuts the WAL once for all who want it, and not again for a while when a reader kept it from its end: each try holds up
/// every commit for as long as it waits.
final class Truncation: Sendable {
    private typealias Waiting = CheckedContinuation<Bool, any Error>

    private struct State {
        var waiting: [Waiting] = []
        var notBefore = ContinuousClock.now
    }

    private let state = Mutex(State())
    /// Milliseconds. Look-ups are over in a moment; a backup is not.
    private static let patience = 50
    private static let pause = Duration.seconds(5)

    /// How many wait.
    var waiting: Int { state.withLock { $0.waiting.count } }

    /// `begin`: Called for the first of those who wait; has to bring about one call of `run`.
    ///
    /// - Returns: Whether the log was cut.
    func join(evenSoon: Bool = false, begin: () -> Void) async throws -> Bool {
        try await withCheckedThrowingContinuation { (continuation: Waiting) in
            let place = state.withLock { state -> Int? in
                guard evenSoon || ContinuousClock.now >= state.notBefore else { return nil }
                state.waiting.append(continuation)
                return state.waiting.count
            }
            if place == 1 { begin() }
            if place == nil { continuation.resume(returning: false) }
        }
    }

    /// On the writer's connection, outside any transaction.
    func run(on database: Connection) {
        let waiting = state.withLock { state in
            defer { state.waiting = [] }
            return state.waiting
        }
        let outcome = Result {
            try database.script("PRAGMA busy_timeout = \(Self.patience)")
            defer { try? database.script("PRAGMA busy_timeout = 5000") }
            return try database.first("PRAGMA wal_checkpoint(TRUNCATE)") { $0.int(0) == 0 } ?? false
        }
        if case .success(false) = outcome { state.withLock { $0.notBefore = .now + Self.pause } }
        for one in waiting { one.resume(with: outcome) }
    }
}
