import Monitor
import Testing
import Wire

/// Counts the messages of a large outage: evaluator, escalation and queue together, second by second.
@Suite struct GroupingTests {
    /// A fleet whose nodes send every thirty seconds, each in its own second, and one recipient that accepts
    /// everything.
    struct Outage {
        var evaluator: FleetEvaluator
        var now = ClockReading(monotonic: 1_000_000, wall: 1_800_000_000_000)
        var escalation = Escalation()
        var queue = RecipientQueue()
        var messages: [Message] = []
        var dead: Set<String> = []
        private let names: [String]
        private var sequence: Int64 = 0
        private var notification: Int64 = 0
        private let routes = [Route(channel: "phone", severities: [.sev2, .sev1])]

        init(_ nodes: [MonitoredNode]) {
            names = nodes.map(\.name)
            evaluator = FleetEvaluator(nodes: nodes.map { ($0, PersistedNodeState()) }, at: now)
            pass(120)
            messages = []
        }

        mutating func pass(_ seconds: Int) {
            for _ in 0..<seconds {
                now = ClockReading(monotonic: now.monotonic + 1_000, wall: now.wall + 1_000)
                sequence += 1
                var changes = evaluator.advance(to: now)
                for (index, name) in names.enumerated() where index % 30 == Int(sequence % 30) && !dead.contains(name) {
                    changes += evaluator.receive(Beat(), from: name, at: now).1
                }
                for notified in escalation.apply(changes, routes: routes) + escalation.tick(now.wall, routes: routes) {
                    notification += 1
                    queue.waiting.append(
                        PendingNotification(id: notification, change: notified.change, created: now.wall))
                }
                send()
            }
        }

        private mutating func send() {
            guard let batch = queue.nextBatch(.standard, now: now.wall), batch.at <= now.wall else { return }
            let updates = queue.updates(of: batch.notifications, .standard, now: now.wall)
            let news = updates.filter { !$0.changes.isEmpty }
            if !news.isEmpty {
                messages.append(Message(channel: "phone", news))
                queue.state.sent = now.wall
            }
            for update in updates {
                queue.waiting.removeAll { update.notifications.contains($0.id) }
                for id in update.over { queue.notified[id] = nil }
                queue.notified.merge(update.notified) { _, new in new }
                for change in update.changes { queue.lastNotifiedByCause[change.incident.cause] = now.wall }
            }
        }
    }

    static let fleet = (0..<300).map { MonitoredNode("node-\($0)", region: $0 < 120 ? "asia" : "region-\($0 % 5)") }

    /// 120 of 300 nodes, all of one region, fall silent at once and recover after ten minutes.
    @Test func aSilentRegionCausesFewMessages() throws {
        var outage = Outage(Self.fleet)
        outage.dead = Set(Self.fleet.prefix(120).map(\.name))
        outage.pass(600)
        let bad = outage.messages
        outage.dead = []
        outage.pass(180)
        #expect(outage.messages.count <= 6, "\(outage.messages.map { MessageText($0).title })")
        // Every node is listed as silent, as silent for long, and as recovered.
        for (kind, severity) in [(IncidentChange.Kind.opened, Severity.sev2), (.raised, .sev1), (.resolved, .sev1)] {
            let notified = outage.messages.flatMap(\.changes).filter {
                $0.kind == kind && $0.incident.severity == severity && $0.incident.rule == "silent"
            }
            #expect(Set(notified.compactMap(\.incident.node)).count == 120, "\(kind)")
            #expect(notified.count == 120, "\(kind): nothing twice")
        }
        let text = bad.map { MessageText($0).text }.joined(separator: "\n")
        for number in 0..<120 { #expect(text.contains("node-\(number)")) }
        // One item for services that keep incidents open.
        #expect(Set(outage.messages.map(\.thread.name)).count == 1)
        #expect(outage.messages.last?.thread.isOver == true)
    }

    /// All nodes, one after another within a minute.
    @Test func aSilentFleetCausesFewMessages() throws {
        var outage = Outage(Self.fleet)
        for second in 0..<60 {
            outage.dead.formUnion(
                Self.fleet.map(\.name).enumerated().filter { $0.offset % 60 == second }.map(\.element))
            outage.pass(1)
        }
        outage.pass(600)
        #expect(outage.messages.count <= 6, "\(outage.messages.map { MessageText($0).title })")
        let notified = outage.messages.flatMap(\.changes)
        #expect(notified.contains { $0.incident.rule == "cut-off" || $0.incident.severity == .sev1 })
    }
}
