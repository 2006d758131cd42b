package import Logging
import ServiceLifecycle

/// Runs work at an interval until shutdown. Logs a failure and continues with the next run.
package struct Periodic: Service {
    private let name: String
    /// The delay before the first run, so that work that is not urgent does not slow the start.
    private let delay: Duration
    private let interval: Duration
    private let logger: Logger
    private let work: @Sendable () async throws -> Void

    package init(
        name: String, delay: Duration = .zero, interval: Duration, logger: Logger,
        work: @escaping @Sendable () async throws -> Void
    ) {
        self.name = name
        self.delay = delay
        self.interval = interval
        self.logger = logger
        self.work = work
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            try? await Task.sleep(for: delay)
            while !Task.isCancelled {
                do {
                    try await work()
                } catch is CancellationError {
                    return
                } catch {
                    logger.error("periodic work failed", metadata: ["work": "\(name)", "error": "\(error)"])
                }
                try? await Task.sleep(for: interval)
            }
        }
    }
}
