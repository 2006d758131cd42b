import Glibc
import Synchronization

extension Interrupts {
    /// For work that must not go on without this program: ctrl-C, and a terminal that is closed, cancel it. Its child
    /// processes are ended then, and what it put down is taken away, before the error reaches anybody.
    ///
    /// - Throws: `CancellationError` when it was interrupted, or what `body` throws.
    static func cancelling(_ body: @escaping @Sendable () async throws -> Void) async throws {
        isInterrupted.store(false, ordering: .relaxed)
        for number in [SIGINT, SIGTERM, SIGHUP] {
            signal(number) { _ in isInterrupted.store(true, ordering: .relaxed) }
        }
        defer { for number in [SIGINT, SIGTERM, SIGHUP] { signal(number, SIG_DFL) } }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await body() }
            group.addTask {
                // A handler may do no more than set a flag; somebody has to look at it.
                while !isInterrupted.load(ordering: .relaxed) { try await Task.sleep(for: .milliseconds(100)) }
                Terminal.note("Stopping. What was begun on the machine itself may go on: see the provider's console.")
                throw CancellationError()
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }
}

private let isInterrupted = Atomic(false)
