import Logging
import ServiceLifecycle

/// Does something again and again until the program stops. A failure is logged and the next turn comes all the same.
struct Periodic: Service {
    let name: String
    /// Before the first turn: what is not urgent leaves the start alone.
    var delay = Duration.zero
    let interval: Duration
    let logger: Logger
    let work: @Sendable () async throws -> Void

    func run() async throws {
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
