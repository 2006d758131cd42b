import Synchronization

/// Delivery statistics of one channel. Counts are since the start of the program.
package struct DeliveryStatistics: Equatable, Sendable {
    /// Delivered messages.
    package var delivered = 0
    package var failedAttempts = 0
    /// Undelivered changes, for each recipient.
    package var waiting = 0
    /// Age in seconds of the oldest undelivered change.
    package var oldestWaiting = 0.0
    /// Seconds for which all attempts have failed; 0 when the channel works.
    package var failing = 0.0
    /// Recipients for which all attempts fail.
    package var failingRecipients = 0
    package var recipients = 0
    /// Whether the service rejects messages, rather than being unreachable.
    package var isRejecting = false
    package var lastError: String?

    package init() {}

    /// Seconds for which an endpoint may be unavailable before the channel counts as broken.
    private static let outageLimit = 300.0

    /// Whether the channel counts as broken, which is notified by other channels.
    package var isBroken: Bool { isRejecting || failing >= Self.outageLimit }
}

/// The statistics of all channels.
final class DeliveryCounts: Sendable {
    private let channels: Mutex<[String: DeliveryStatistics]>

    init(_ names: Set<String>) {
        channels = Mutex(Dictionary(uniqueKeysWithValues: names.map { ($0, DeliveryStatistics()) }))
    }

    func count(_ channel: String, _ change: (inout DeliveryStatistics) -> Void) {
        channels.withLock { change(&$0[channel, default: DeliveryStatistics()]) }
    }

    func with(_ recipients: [(channel: String, state: RecipientState)], now: Int64) -> [String: DeliveryStatistics] {
        var all = channels.withLock { $0 }
        for (channel, state) in recipients {
            all[channel, default: DeliveryStatistics()].add(state, now: now)
        }
        return all
    }
}

extension DeliveryStatistics {
    fileprivate mutating func add(_ state: RecipientState, now: Int64) {
        func seconds(since moment: Int64?) -> Double { moment.map { Double(max(0, now - $0)) / 1_000 } ?? 0 }
        recipients += 1
        waiting += state.waiting
        oldestWaiting = max(oldestWaiting, seconds(since: state.waitingSince))
        guard state.attempts > 0 else { return }
        failingRecipients += 1
        failing = max(failing, seconds(since: state.failingSince))
        isRejecting = isRejecting || state.rejections >= RetryPolicy.maxBlockingAttempts
        lastError = lastError ?? state.lastError
    }
}
