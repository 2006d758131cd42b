import Synchronization

/// How one channel fares. Counts are since the start of the program.
package struct DeliveryFigures: Equatable, Sendable {
    /// Messages.
    package var delivered = 0
    package var failedAttempts = 0
    /// Changes that are not told yet, for each recipient.
    package var waiting = 0
    /// Seconds since the oldest of these was found.
    package var oldestWaiting = 0.0
    /// Seconds since it took something for the last time, while what was tried since failed; 0 when it works.
    package var failing = 0.0
    /// Of its recipients those that take nothing, where it has several.
    package var failingLines = 0
    package var lines = 0
    /// Whether it says no, rather than nothing.
    package var isRefusing = false
    package var lastError: String?

    package init() {}

    /// Seconds for which an endpoint may be away before somebody must look.
    private static let patience = 300.0

    /// Whether it is to be told elsewhere that this channel takes nothing.
    package var isBroken: Bool { isRefusing || failing >= Self.patience }
}

/// The counts of all channels.
final class DeliveryCounts: Sendable {
    private let channels: Mutex<[String: DeliveryFigures]>

    init(_ names: Set<String>) {
        channels = Mutex(Dictionary(uniqueKeysWithValues: names.map { ($0, DeliveryFigures()) }))
    }

    func count(_ channel: String, _ change: (inout DeliveryFigures) -> Void) {
        channels.withLock { change(&$0[channel, default: DeliveryFigures()]) }
    }

    func with(_ lines: [(channel: String, state: LineState)], now: Int64) -> [String: DeliveryFigures] {
        var all = channels.withLock { $0 }
        for (channel, state) in lines {
            all[channel, default: DeliveryFigures()].add(state, now: now)
        }
        return all
    }
}

extension DeliveryFigures {
    fileprivate mutating func add(_ state: LineState, now: Int64) {
        func seconds(since moment: Int64?) -> Double { moment.map { Double(max(0, now - $0)) / 1_000 } ?? 0 }
        lines += 1
        waiting += state.waiting
        oldestWaiting = max(oldestWaiting, seconds(since: state.waitingSince))
        guard state.attempts > 0 else { return }
        failingLines += 1
        failing = max(failing, seconds(since: state.failingSince))
        isRefusing = isRefusing || state.refusals >= RetryRule.mostInTheWay
        lastError = lastError ?? state.lastError
    }
}
