import Synchronization

/// Exponential back-off for a failing job: half an hour after the first failure, at most a day.
package final class BackOff: Sendable {
    private let state = Mutex((failures: 0, until: Int64.min))

    package init() {}

    /// Unix seconds.
    package func hasElapsed(at now: Int64) -> Bool { state.withLock { now >= $0.until } }

    /// Runs the job and records success or failure. `now`: Evaluated after a failure.
    package func run<Result>(
        at now: @autoclosure () -> Int64, _ job: () async throws -> Result
    ) async throws -> Result {
        do {
            let result = try await job()
            state.withLock { $0 = (0, .min) }
            return result
        } catch {
            recordFailure(at: now())
            throw error
        }
    }

    private func recordFailure(at now: Int64) {
        state.withLock { state in
            state.failures = min(state.failures + 1, 7)
            state.until = now + min(86_400, 900 << Int64(state.failures))
        }
    }
}
