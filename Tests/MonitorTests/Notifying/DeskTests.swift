import Monitor
import Testing

/// What a line is told, and when.
@Suite struct DeskTests {
    static let now: Int64 = 1_709_312_400_000
    static let grouping = Grouping(wait: 10_000, interval: 60_000)

    static func desk(_ changes: [IncidentChange], known: [Int64: Severity] = [:]) -> Desk {
        var desk = Desk()
        desk.waiting = changes.enumerated().map { Waiting(id: Int64($0 + 1), change: $1, created: now) }
        for (id, severity) in known {
            desk.heard[id] = Heard(
                severity: severity, isAcknowledged: false, thread: "\(id)/0", cause: "silent/asia", at: now - 3_600_000)
        }
        return desk
    }

    struct Story: CustomTestStringConvertible {
        let testDescription: String
        let changes: [IncidentChange]
        /// What the line believes of incident 1.
        var known: Severity?
        let told: [IncidentChange.Kind]
    }

    static let one = anIncident()

    @Test(arguments: [
        Story(testDescription: "it opened", changes: [one.becomes(.opened, at: 1)], told: [.opened]),
        Story(
            testDescription: "it opened and is worse by now",
            changes: [one.becomes(.opened, at: 1), one.becomes(.raised, at: 2, .sev1)], told: [.opened]),
        Story(
            testDescription: "it opened and is over",
            changes: [one.becomes(.opened, at: 1), one.becomes(.resolved, at: 2)], told: [.passed]),
        Story(testDescription: "only its end is left", changes: [one.becomes(.resolved, at: 2)], told: []),
        Story(
            testDescription: "it ended", changes: [one.becomes(.reminded, at: 1), one.becomes(.resolved, at: 2)],
            known: .sev2, told: [.resolved]),
        Story(
            testDescription: "it rose and fell back",
            changes: [one.becomes(.raised, at: 1, .sev1), one.becomes(.lowered, at: 2, .sev2)], known: .sev2, told: []),
        Story(
            testDescription: "it rose, and somebody has it",
            changes: [
                one.becomes(.raised, at: 1, .sev1), one.becomes(.acknowledged, at: 2, .sev1),
            ], known: .sev2, told: [.raised, .acknowledged]),
        Story(
            testDescription: "reminders are one", changes: [1, 2, 3].map { one.becomes(.reminded, at: $0) },
            known: .sev2, told: [.reminded]),
        Story(
            testDescription: "who is called in by escalation hears that",
            changes: [one.becomes(.escalated, at: 600), one.becomes(.reminded, at: 700)], told: [.escalated]),
    ])
    func isThePresentState(_ story: Story) {
        let desk = Self.desk(story.changes, known: story.known.map { [1: $0] } ?? [:])
        let parcels = desk.parcels(of: desk.waiting, Self.grouping, now: Self.now)
        #expect(parcels.flatMap(\.changes).map(\.kind) == story.told)
        #expect(parcels.flatMap(\.tellings) == desk.waiting.map(\.id), "all of it is settled")
        let isOver = story.changes.last?.kind == .resolved
        #expect(parcels.flatMap(\.over) == (isOver ? [1] : []))
        #expect(parcels.first?.heard[1]?.severity == (isOver ? nil : story.changes.last?.incident.severity))
        if story.told.first == .opened {
            #expect(parcels.first?.changes.first?.incident.severity == story.changes.last?.incident.severity)
        }
    }

    @Test func aMessageWaitsForWhatHappensWithIt() {
        var desk = Self.desk([Self.one.becomes(.opened, at: 1)])
        #expect(desk.plan(Self.grouping, now: Self.now)?.at == Self.now + 10_000)
        // The line was told of this cause a while ago, or just now.
        desk.toldCauses["silent/asia"] = Self.now - 300_000
        #expect(desk.plan(Self.grouping, now: Self.now)?.at == Self.now + 10_000)
        desk.toldCauses["silent/asia"] = Self.now - 5_000
        #expect(desk.plan(Self.grouping, now: Self.now)?.at == Self.now + 55_000)
        // Something else does not wait for it, and it goes along.
        desk.waiting.append(
            Waiting(
                id: 9, change: anIncident(9, region: "europe").becomes(.opened, at: 2), created: Self.now + 1_000))
        let plan = desk.plan(Self.grouping, now: Self.now + 1_000)
        #expect(plan?.at == Self.now + 11_000)
        #expect(plan?.tellings.count == 2)
        desk.state.sent = Self.now + 4_000
        #expect(desk.plan(Self.grouping, now: Self.now + 4_000)?.at == Self.now + 14_000)
    }

    @Test func whatBeginsTogetherIsOneThreadAndEndsWhenAllHaveEnded() {
        let desk = Self.desk((1...3).map { anIncident($0, node: "n\($0)").becomes(.opened, at: 1) })
        let first = desk.parcels(of: desk.waiting, Self.grouping, now: Self.now)
        #expect(first.map(\.thread) == ["1/0"])
        #expect(first[0].changes.count == 3)
        // One more within the window, one much later, and one elsewhere.
        var next = Desk()
        next.heard = first[0].heard
        func thread(_ incident: Incident, at now: Int64) -> String? {
            next.waiting = [Waiting(id: 4, change: incident.becomes(.opened, at: 2), created: now)]
            return next.parcels(of: next.waiting, Self.grouping, now: now).first?.thread
        }
        #expect(thread(anIncident(4, node: "n4"), at: Self.now + 60_000) == "1/0")
        #expect(thread(anIncident(4, node: "n4"), at: Self.now + 600_000) == "4/0")
        #expect(thread(anIncident(4, region: "europe"), at: Self.now + 60_000) == "4/0")
        // Two end, then the last.
        next.waiting = [1, 2].map {
            Waiting(id: $0, change: anIncident($0).becomes(.resolved, at: 3), created: Self.now)
        }
        let some = next.parcels(of: next.waiting, Self.grouping, now: Self.now)
        #expect(some.map(\.isOver) == [false])
        for id in some[0].over { next.heard[id] = nil }
        next.waiting = [Waiting(id: 3, change: anIncident(3).becomes(.resolved, at: 3), created: Self.now)]
        #expect(next.parcels(of: next.waiting, Self.grouping, now: Self.now).map(\.isOver) == [true])
    }
}
