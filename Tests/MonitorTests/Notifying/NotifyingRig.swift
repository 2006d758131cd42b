import Foundation
import Logging
import Monitor
import SQLite
import Synchronization
import TestSupport

/// Everything between the evaluator and the network, with its own database and a manual clock.
struct NotifyingRig: Sendable {
    let folder: Scratch
    let clock = TestClock()
    let network = ScriptedNetwork()
    let log = LogLines()
    let store: MonitorStore
    let outbox: Outbox
    let settings: NotificationSettings
    static let start: Int64 = 1_709_312_400_000

    /// No grouping delays.
    static let atOnce = Grouping(wait: 0, interval: 0)

    /// Creates webhooks with these names, each with a host of its name.
    init(
        hooks: [String] = ["hook"], routes: [Route] = [], grouping: Grouping = atOnce, limit: Int? = nil,
        in folder: Scratch? = nil
    ) throws {
        let channels = hooks.map { name in
            ChannelSettings(
                name: name, kind: .webhook(.init(urlFile: "/\(name)", keyFile: "/key")), grouping: grouping)
        }
        try self.init(channels: channels, routes: routes, limit: limit, in: folder)
    }

    init(channels: [ChannelSettings], routes: [Route] = [], limit: Int? = nil, in folder: Scratch? = nil)
        throws
    {
        self.folder = try folder ?? Scratch()
        settings = try NotificationSettings(channels: channels, routes: routes)
        store = try MonitorStore(path: self.folder.file("monitor.db"))
        outbox = Outbox(alerts: store.alerts, recipients: settings.recipients, limit: limit)
    }

    /// Unix milliseconds.
    var now: Int64 { Self.start + Int64(TestClock.Instant().duration(to: clock.now) / .milliseconds(1)) }

    var notifier: Notifier<TestClock> {
        Notifier(outbox: outbox, settings: settings, clock: clock, now: { now }, logger: log.logger)
    }

    /// Without jitter.
    func delivery() throws -> Delivery<TestClock> {
        let factory = ChannelFactory(
            send: network.send, post: network.post
        ) { path in
            Array(path == "/key" ? "signing key".utf8 : "https://\(path.dropFirst()).example/hooks/9f8e7d6c5b".utf8)
        }
        return Delivery(
            outbox: outbox, senders: try factory.senders(settings),
            dependencies: .init(clock: clock, now: { now }, random: { $0.upperBound }), logger: log.logger)
    }

    /// Runs a delivery during `body`, and cancels it afterwards, as in a crash.
    @discardableResult
    func delivering<R: Sendable>(_ body: () async throws -> R) async throws -> R {
        let task = Task { [delivery = try delivery()] in try await delivery.run() }
        let result: R
        do {
            result = try await body()
        } catch {
            task.cancel()
            try? await task.value
            throw error
        }
        task.cancel()
        try await task.value
        return result
    }

    /// Queues one change of one incident.
    func put(_ id: Int64, _ kind: IncidentChange.Kind = .opened, to channel: String = "hook") async throws {
        let notification = ChannelNotification(channel: channel, change: anIncident(id).becomes(kind, at: now / 1_000))
        try await outbox.escalate(.incidents([]), routes: [], now: now) { _ in [notification] }
    }

    /// The queue of a recipient.
    func queue(_ line: String = "hook") async throws -> RecipientQueue { try await outbox.queue(of: line) }

    /// Waits until the queue satisfies a condition.
    @discardableResult
    func until(_ line: String = "hook", _ isTrue: (RecipientQueue) -> Bool) async throws -> RecipientQueue {
        var queue = try await queue(line)
        try await eventually("the queue is \(queue)") {
            queue = try await self.queue(line)
            return isTrue(queue)
        }
        return queue
    }
}

extension RecipientQueue {
    var isClear: Bool { waiting.isEmpty }
    var incidents: [Int64] { waiting.map(\.change.incident.id) }
}

/// A scripted network of channel services.
final class ScriptedNetwork: Sendable {
    typealias Answer = @Sendable (WebRequest, _ attempt: Int) async throws -> WebResponse

    private struct State {
        var requests: [WebRequest] = []
        var mails: [Mail] = []
        var answer: Answer = { _, _ in WebResponse(status: 200) }
        var silenceSeverity: @Sendable (String) -> DeliveryFailure? = { _ in nil }
    }

    private let state = Mutex(State())

    var requests: [WebRequest] { state.withLock { $0.requests } }
    var mails: [Mail] { state.withLock { $0.mails } }

    func probeResults(_ answer: @escaping Answer) { state.withLock { $0.answer = answer } }

    @Sendable func send(_ request: WebRequest) async throws -> WebResponse {
        let (answer, attempt) = state.withLock { state in
            state.requests.append(request)
            return (state.answer, state.requests.count)
        }
        return try await answer(request, attempt)
    }

    /// Sets the result of mail to an address.
    func takes(_ silenceSeverity: @escaping @Sendable (_ address: String) -> DeliveryFailure?) {
        state.withLock { $0.silenceSeverity = silenceSeverity }
    }

    @Sendable func post(_ account: MailAccount, _ mail: Mail) async throws(DeliveryFailure) {
        if let failure = state.withLock({ $0.silenceSeverity })(mail.to) { throw failure }
        state.withLock { $0.mails.append(mail) }
    }
}

extension WebRequest {
    func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
    var json: NSDictionary? { try? JSONSerialization.jsonObject(with: Data(body)) as? NSDictionary }
    /// The incident ids in a webhook's body.
    var incidents: [Int64] { notified.map(\.incident) }
    /// The kind of each change.
    var notified: [(kind: String, incident: Int64)] {
        let changes = json?["changes"] as? [NSDictionary] ?? []
        return changes.map { change in
            (change["kind"] as? String ?? "", (change["incident"] as? NSDictionary)?["id"] as? Int64 ?? 0)
        }
    }
    /// Such as "opened 1".
    var words: [String] { notified.map { "\($0.kind) \($0.incident)" } }
}

/// Records log lines.
final class LogLines: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }

    var logger: Logger { Logger(label: "test") { [self] _ in Handler(lines: self) } }

    private struct Handler: LogHandler {
        let lines: LogLines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let pairs = (event.metadata ?? [:]).map { "\($0.key)=\($0.value)" }.sorted().joined(separator: " ")
            lines.lines.withLock { $0.append("\(event.level) \(event.message) \(pairs)") }
        }
    }
}
