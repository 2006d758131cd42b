import Synchronization

/// Who looks at the dashboard at this moment.
final class Audience: Sendable {
    enum News: Sendable {
        case nodes([NodeView])
        /// All open ones.
        case incidents([Incident])
        /// Nothing new; for proxies that close what is quiet.
        case pause
    }

    private struct State {
        var next = 0
        var streams: [Int: AsyncStream<News>.Continuation] = [:]
        var lastPause = Int64.min / 2
    }

    private let state = Mutex(State())
    /// More than people have tabs open, and few enough that nobody's beats suffer.
    private static let most = 100

    var isEmpty: Bool { state.withLock { $0.streams.isEmpty } }
    var count: Int { state.withLock { $0.streams.count } }

    /// Nil when the house is full. Whoever falls behind misses the oldest news; each piece is whole.
    func join() -> AsyncStream<News>? {
        let (stream, continuation) = AsyncStream<News>.makeStream(bufferingPolicy: .bufferingNewest(64))
        let seat = state.withLock { state -> Int? in
            guard state.streams.count < Self.most else { return nil }
            state.next += 1
            state.streams[state.next] = continuation
            return state.next
        }
        guard let seat else { return nil }
        continuation.onTermination = { _ in self.state.withLock { _ = $0.streams.removeValue(forKey: seat) } }
        return stream
    }

    /// Every fifteen seconds. `now`: Steady milliseconds.
    func tellPause(at now: Int64) {
        let isDue = state.withLock { state in
            guard now - state.lastPause >= 15_000 else { return false }
            state.lastPause = now
            return true
        }
        if isDue { tell(.pause) }
    }

    func tell(_ news: News) {
        let streams = state.withLock { Array($0.streams.values) }
        for stream in streams { stream.yield(news) }
    }
}
