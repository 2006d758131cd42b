import Glibc
import Synchronization

extension Interrupts {
    /// Runs work that ctrl-C, or the end of the terminal, cancels. Its child processes and temporary files are removed
    /// before the error is thrown.
    ///
    /// - Throws: `CancellationError` if it was interrupted, or errors of `body`.
    static func cancelling(_ body: @escaping @Sendable () async throws -> Void) async throws {
        isInterrupted.store(false, ordering: .relaxed)
        for number in [SIGINT, SIGTERM, SIGHUP] {
            signal(number) { _ in isInterrupted.store(true, ordering: .relaxed) }
        }
        defer { for number in [SIGINT, SIGTERM, SIGHUP] { signal(number, SIG_DFL) } }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await body() }
            group.addTask {
                // A signal handler may only set a flag, so the flag is polled.
                while !isInterrupted.load(ordering: .relaxed) { try await Task.sleep(for: .milliseconds(100)) }
                Terminal.note(
                    "Stopping. Work that was started on the machine may continue: see the provider's console.")
                throw CancellationError()
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }
}

private let isInterrupted = Atomic(false)
