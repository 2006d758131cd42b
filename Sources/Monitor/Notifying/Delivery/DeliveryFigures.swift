import Synchronization

/// How one channel fares, for `/metrics`. Counts are since the start of the program.
package struct DeliveryFigures: Equatable, Sendable {
    package var delivered = 0
    package var failedAttempts = 0
    package var givenUp = 0
    package var waiting = 0
    /// Seconds since the oldest message that waits was put in.
    package var oldestWaiting = 0.0

    package init() {}
}

/// The counts of all channels.
final class DeliveryCounts: Sendable {
    private let channels: Mutex<[String: DeliveryFigures]>

    init(_ names: [String]) {
        channels = Mutex(Dictionary(uniqueKeysWithValues: names.map { ($0, DeliveryFigures()) }))
    }

    func count(_ channel: String, _ change: (inout DeliveryFigures) -> Void) {
        channels.withLock { change(&$0[channel, default: DeliveryFigures()]) }
    }

    func with(_ waiting: [String: (count: Int, since: Int64)], now: Int64) -> [String: DeliveryFigures] {
        var all = channels.withLock { $0 }
        for (channel, row) in waiting where all[channel] != nil {
            all[channel]?.waiting = row.count
            all[channel]?.oldestWaiting = Double(max(0, now - row.since)) / 1_000
        }
        return all
    }
}
