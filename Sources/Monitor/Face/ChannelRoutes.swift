import Hummingbird
import Synchronization
import Wire

/// How the channels fare, and a try of one.
struct ChannelRoutes: Sendable {
    let check: SelfCheck
    /// Nil where there are none.
    let trial: ChannelTrial?
    private let pace = TrialPace()

    init(check: SelfCheck, trial: ChannelTrial?) {
        self.check = check
        self.trial = trial
    }

    func add(to group: RouterGroup<OperatorContext>) {
        group.get("/channels") { _, _ in
            let channels = (await check.deliveries() ?? [:]).sorted { $0.key < $1.key }
            return try Response(json: ChannelsBody(channels: channels.map { ChannelBody($0.key, $0.value) }))
        }
        group.post("/channels/:name/test") { _, context in
            let name = context.parameters.get("name") ?? ""
            guard let wait = pace.take(name, at: check.watch.world.now().steady) else {
                let outcomes = await trial?.run(name) ?? []
                guard !outcomes.isEmpty else { throw Problem.noSuch("channel") }
                return try Response(json: TrialBody(outcomes: outcomes))
            }
            throw Problem(
                named: "too-soon", status: 429, title: "It was tried a moment ago",
                detail: "Wait until that has arrived.",
                retryAfter: wait)
        }
    }
}

/// Somebody who presses a button again and again floods no channel.
private final class TrialPace: Sendable {
    private let last = Mutex<[String: Int64]>([:])
    private static let pause: Int64 = 10_000

    /// - Returns: Seconds to wait; nil when it may be tried now.
    func take(_ name: String, at now: Int64) -> Int? {
        last.withLock { last in
            last = last.filter { now - $0.value < Self.pause }
            if let before = last[name] { return Int((Self.pause - (now - before) + 999) / 1_000) }
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
    /// Messages since the monitor's start.
    var delivered: Int
    var failedAttempts: Int
    /// Changes not yet told, for each recipient.
    var waiting: Int
    /// Seconds for which it has taken nothing that was tried; 0 when it works.
    var failing: Double
    var lastError: String?

    init(_ name: String, _ figures: DeliveryFigures) {
        self.name = name
        (delivered, failedAttempts, waiting) = (figures.delivered, figures.failedAttempts, figures.waiting)
        (failing, lastError) = (figures.failing, figures.lastError)
    }
}

/// `POST /api/v1/channels/{name}/test`
struct TrialBody: Encodable {
    var outcomes: [ChannelTrial.Outcome]
}
