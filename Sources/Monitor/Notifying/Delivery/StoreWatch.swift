import Logging
import Synchronization

/// Says once that the store fails, and once that it works again: several channels see it many times a minute.
final class StoreWatch: Sendable {
    private let logger: Logger
    /// Who has met an error and no success since. Somebody who only reads may do well on a full disk.
    private let failing = Mutex<Set<String>>([])

    init(_ logger: Logger) {
        self.logger = logger
    }

    func failed(_ error: any Error, for whom: String) {
        let isNews = failing.withLock { failing in
            defer { failing.insert(whom) }
            return failing.isEmpty
        }
        if isNews { logger.error("the outbox cannot be used", metadata: ["error": "\(error)"]) }
    }

    func isWell(for whom: String) {
        let isNews = failing.withLock { failing in failing.remove(whom) != nil && failing.isEmpty }
        if isNews { logger.notice("the outbox can be used again") }
    }
}
