import Synchronization

/// Lets a job that failed wait, longer each time: half an hour at first, a day at most.
package final class GrowingPause: Sendable {
    private let state = Mutex((failures: 0, until: Int64.min))

    package init() {}

    /// Unix seconds.
    package func isOver(at now: Int64) -> Bool { state.withLock { now >= $0.until } }

    /// Does the job, and notes how it went. `now`: asked for when it has failed.
    package func noting<Result>(
        at now: @autoclosure () -> Int64, _ job: () async throws -> Result
    ) async throws -> Result {
        do {
            let result = try await job()
            state.withLock { $0 = (0, .min) }
            return result
        } catch {
            failed(at: now())
            throw error
        }
    }

    private func failed(at now: Int64) {
        state.withLock { state in
            state.failures = min(state.failures + 1, 7)
            state.until = now + min(86_400, 900 << Int64(state.failures))
        }
    }
}
