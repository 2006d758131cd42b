import HTTPServing
import Hummingbird
import Synchronization
import Wire

/// Channel statistics and channel tests.
struct ChannelRoutes: Sendable {
    let check: SelfCheck
    /// Nil when there are no channels.
    let tester: ChannelTester?
    private let rateLimit = ChannelTestRateLimit()

    init(check: SelfCheck, tester: ChannelTester?) {
        self.check = check
        self.tester = tester
    }

    func add(to group: RouterGroup<OperatorContext>) {
        group.get("/channels") { _, _ in
            let channels = (await check.deliveries() ?? [:]).sorted { $0.key < $1.key }
            return try Response(json: ChannelsBody(channels: channels.map { ChannelBody($0.key, $0.value) }))
        }
        group.post("/channels/:name/test") { _, context in
            let name = context.parameters.get("name") ?? ""
            guard let wait = rateLimit.take(name, at: check.watch.dependencies.now().monotonic) else {
                let outcomes = await tester?.run(name) ?? []
                guard !outcomes.isEmpty else { throw Problem.noSuch("channel") }
                return try Response(json: ChannelTestBody(outcomes: outcomes))
            }
            throw Problem(
                named: "too-soon", status: 429, title: "Tested a moment ago",
                detail: "Wait until that message has arrived.",
                retryAfter: wait)
        }
    }
}

/// Limits tests to one per channel in ten seconds, so that repeated requests do not flood a channel.
private final class ChannelTestRateLimit: Sendable {
    private let last = Mutex<[String: Int64]>([:])
    private static let interval: Int64 = 10_000

    /// - Returns: Seconds to wait; nil when a test may run now.
    func take(_ name: String, at now: Int64) -> Int? {
        last.withLock { last in
            last = last.filter { now - $0.value < Self.interval }
            if let before = last[name] { return Int((Self.interval - (now - before) + 999) / 1_000) }
            if last.count < 1_000 { last[name] = now }
            return nil
        }
    }
}

/// `GET /api/v1/channels`
struct ChannelsBody: Encodable {
    var channels: [ChannelBody]
}

struct ChannelBody: Encodable {
    var name: String
    /// Messages delivered since the monitor's start.
    var delivered: Int
    var failedAttempts: Int
    /// Undelivered changes, for each recipient.
    var waiting: Int
    /// Seconds for which all attempts have failed; 0 when it works.
    var failing: Double
    var lastError: String?

    init(_ name: String, _ statistics: DeliveryStatistics) {
        self.name = name
        (delivered, failedAttempts, waiting) = (statistics.delivered, statistics.failedAttempts, statistics.waiting)
        (failing, lastError) = (statistics.failing, statistics.lastError)
    }
}

/// `POST /api/v1/channels/{name}/test`
struct ChannelTestBody: Encodable {
    var outcomes: [ChannelTester.Outcome]
}
