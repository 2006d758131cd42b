import Monitor
import Testing
import Wire

/// How many messages a large outage makes: judge, escalation and desk together, second by second.
@Suite struct GroupingTests {
    /// A fleet whose nodes beat every thirty seconds, each in its own second, and one line that takes everything.
    struct Outage {
        var judge: FleetJudge
        var now = Moment(steady: 1_000_000, wall: 1_800_000_000_000)
        var escalation = Escalation()
        var desk = Desk()
        var messages: [Message] = []
        var dead: Set<String> = []
        private let names: [String]
        private var sequence: Int64 = 0
        private var telling: Int64 = 0
        private let routes = [Route(channel: "phone", severities: [.sev2, .sev1])]

        init(_ nodes: [NodeName]) {
            names = nodes.map(\.name)
            judge = FleetJudge(nodes: nodes.map { ($0, NodeMemory()) }, at: now)
            pass(120)
            messages = []
        }

        mutating func pass(_ seconds: Int) {
            for _ in 0..<seconds {
                now = Moment(steady: now.steady + 1_000, wall: now.wall + 1_000)
                sequence += 1
                var changes = judge.advance(to: now)
                for (index, name) in names.enumerated() where index % 30 == Int(sequence % 30) && !dead.contains(name) {
                    changes += judge.receive(Beat(), from: name, at: now).1
                }
                for told in escalation.apply(changes, routes: routes) + escalation.tick(now.wall, routes: routes) {
                    telling += 1
                    desk.waiting.append(Waiting(id: telling, change: told.change, created: now.wall))
                }
                send()
            }
        }

        private mutating func send() {
            guard let plan = desk.plan(.standard, now: now.wall), plan.at <= now.wall else { return }
            let parcels = desk.parcels(of: plan.tellings, .standard, now: now.wall)
            let news = parcels.filter { !$0.changes.isEmpty }
            if !news.isEmpty {
                messages.append(Message(channel: "phone", news))
                desk.state.sent = now.wall
            }
            for parcel in parcels {
                desk.waiting.removeAll { parcel.tellings.contains($0.id) }
                for id in parcel.over { desk.heard[id] = nil }
                desk.heard.merge(parcel.heard) { _, new in new }
                for change in parcel.changes { desk.toldCauses[change.incident.cause] = now.wall }
            }
        }
    }

    static let fleet = (0..<300).map { NodeName("node-\($0)", region: $0 < 120 ? "asia" : "region-\($0 % 5)") }

    /// 120 of 300 nodes, all of one region, at once; after ten minutes they are back.
    @Test func aRegionThatGoesMakesAFewMessages() throws {
        var outage = Outage(Self.fleet)
        outage.dead = Set(Self.fleet.prefix(120).map(\.name))
        outage.pass(600)
        let bad = outage.messages
        outage.dead = []
        outage.pass(180)
        #expect(outage.messages.count <= 6, "\(outage.messages.map { MessageText($0).title })")
        // Every node is named as silent, as silent for long, and as back.
        for (kind, severity) in [(IncidentChange.Kind.opened, Severity.sev2), (.raised, .sev1), (.resolved, .sev1)] {
            let told = outage.messages.flatMap(\.changes).filter {
                $0.kind == kind && $0.incident.severity == severity && $0.incident.rule == "silent"
            }
            #expect(Set(told.compactMap(\.incident.node)).count == 120, "\(kind)")
            #expect(told.count == 120, "\(kind): nothing twice")
        }
        let text = bad.map { MessageText($0).text }.joined(separator: "\n")
        for number in 0..<120 { #expect(text.contains("node-\(number)")) }
        // One thing to services that keep things open.
        #expect(Set(outage.messages.map(\.thread.name)).count == 1)
        #expect(outage.messages.last?.thread.isOver == true)
    }

    /// All of them, one after the other within a minute.
    @Test func aFleetThatGoesWithinAMinuteMakesAFewMessages() throws {
        var outage = Outage(Self.fleet)
        for second in 0..<60 {
            outage.dead.formUnion(
                Self.fleet.map(\.name).enumerated().filter { $0.offset % 60 == second }.map(\.element))
            outage.pass(1)
        }
        outage.pass(600)
        #expect(outage.messages.count <= 6, "\(outage.messages.map { MessageText($0).title })")
        let told = outage.messages.flatMap(\.changes)
        #expect(told.contains { $0.incident.rule == "cut-off" || $0.incident.severity == .sev1 })
    }
}
