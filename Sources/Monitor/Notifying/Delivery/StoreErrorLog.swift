import Logging
import Synchronization

/// Logs once that the outbox fails, and once that it works again: several recipients meet the error many times a
/// minute.
final class StoreErrorLog: Sendable {
    private let logger: Logger
    /// Clients with an error and no success since. A client that only reads may succeed on a full disk.
    private let failing = Mutex<Set<String>>([])

    init(_ logger: Logger) {
        self.logger = logger
    }

    func recordFailure(_ error: any Error, for client: String) {
        let hasChanged = failing.withLock { failing in
            defer { failing.insert(client) }
            return failing.isEmpty
        }
        if hasChanged { logger.error("outbox unavailable", metadata: ["error": "\(error)"]) }
    }

    func recordSuccess(for client: String) {
        let hasChanged = failing.withLock { failing in failing.remove(client) != nil && failing.isEmpty }
        if hasChanged { logger.notice("outbox available again") }
    }
}
