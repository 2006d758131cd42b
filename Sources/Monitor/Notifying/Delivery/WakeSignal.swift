import Synchronization

/// Wakes the one task that waits for work.
///
/// A signal without a waiting task is kept until the next wait, so that none is lost between checking and waiting.
final class WakeSignal: Sendable {
    private enum State {
        case idle
        case signalled
        case waiting(CheckedContinuation<Void, Never>)
    }

    private let state = Mutex(State.idle)

    func signal() {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard case .waiting(let continuation) = state else {
                state = .signalled
                return nil
            }
            state = .idle
            return continuation
        }
        waiter?.resume()
    }

    /// Returns when a signal was sent since the last wait, or when the task is cancelled.
    func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if case .signalled = state {
                        state = .idle
                        return true
                    }
                    state = .waiting(continuation)
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            signal()
        }
    }

    /// Waits for a signal until the clock's deadline at most.
    ///
    /// - Returns: Whether a signal came before the deadline.
    @discardableResult
    func wait<C: Clock>(until deadline: C.Instant, on clock: C) async -> Bool where C.Duration == Duration {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                try? await clock.sleep(until: deadline, tolerance: nil)
                return false
            }
            group.addTask {
                await self.wait()
                return true
            }
            defer { group.cancelAll() }
            return await group.next() ?? false
        }
    }
}
