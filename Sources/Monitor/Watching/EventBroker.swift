import Synchronization

/// Distributes events to open dashboards.
final class EventBroker: Sendable {
    enum Event: Sendable {
        case nodes([NodeView])
        /// All open incidents.
        case incidents([Incident])
        /// Keeps idle connections open through proxies.
        case keepAlive
    }

    private struct State {
        var next = 0
        var streams: [Int: AsyncStream<Event>.Continuation] = [:]
        var lastKeepAlive = Int64.min / 2
    }

    private let state = Mutex(State())
    /// More than operators have tabs open, and few enough to cost no heartbeats.
    private static let maxSubscribers = 100

    var isEmpty: Bool { state.withLock { $0.streams.isEmpty } }
    var count: Int { state.withLock { $0.streams.count } }

    /// Subscribes to events; nil when there are too many subscribers. A slow subscriber loses the oldest events; each
    /// event is complete.
    func subscribe() -> AsyncStream<Event>? {
        let (stream, continuation) = AsyncStream<Event>.makeStream(bufferingPolicy: .bufferingNewest(64))
        let id = state.withLock { state -> Int? in
            guard state.streams.count < Self.maxSubscribers else { return nil }
            state.next += 1
            state.streams[state.next] = continuation
            return state.next
        }
        guard let id else { return nil }
        continuation.onTermination = { _ in self.state.withLock { _ = $0.streams.removeValue(forKey: id) } }
        return stream
    }

    /// Publishes a keep-alive every fifteen seconds. `now`: Monotonic milliseconds.
    func publishKeepAlive(at now: Int64) {
        let isDue = state.withLock { state in
            guard now - state.lastKeepAlive >= 15_000 else { return false }
            state.lastKeepAlive = now
            return true
        }
        if isDue { publish(.keepAlive) }
    }

    func publish(_ news: Event) {
        let streams = state.withLock { Array($0.streams.values) }
        for stream in streams { stream.yield(news) }
    }
}
