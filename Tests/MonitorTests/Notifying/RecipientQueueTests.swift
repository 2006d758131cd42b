import Monitor
import Testing

/// What a recipient receives, and when.
@Suite struct RecipientQueueTests {
    static let now: Int64 = 1_709_312_400_000
    static let grouping = Grouping(wait: 10_000, interval: 60_000)

    static func queue(_ changes: [IncidentChange], known: [Int64: Severity] = [:]) -> RecipientQueue {
        var queue = RecipientQueue()
        queue.waiting = changes.enumerated().map { PendingNotification(id: Int64($0 + 1), change: $1, created: now) }
        for (id, severity) in known {
            queue.notified[id] = NotifiedIncident(
                severity: severity, isAcknowledged: false, thread: "\(id)/0", cause: "silent/asia", at: now - 3_600_000)
        }
        return queue
    }

    struct Story: CustomTestStringConvertible {
        let testDescription: String
        let changes: [IncidentChange]
        /// What the recipient knows of incident 1.
        var known: Severity?
        let notified: [IncidentChange.Kind]
    }

    static let one = anIncident()

    @Test(arguments: [
        Story(testDescription: "it opened", changes: [one.becomes(.opened, at: 1)], notified: [.opened]),
        Story(
            testDescription: "it opened and rose",
            changes: [one.becomes(.opened, at: 1), one.becomes(.raised, at: 2, .sev1)], notified: [.opened]),
        Story(
            testDescription: "it opened and resolved",
            changes: [one.becomes(.opened, at: 1), one.becomes(.resolved, at: 2)], notified: [.openedAndResolved]),
        Story(testDescription: "only its resolution is sent", changes: [one.becomes(.resolved, at: 2)], notified: []),
        Story(
            testDescription: "it ended", changes: [one.becomes(.reminded, at: 1), one.becomes(.resolved, at: 2)],
            known: .sev2, notified: [.resolved]),
        Story(
            testDescription: "it rose and fell back",
            changes: [one.becomes(.raised, at: 1, .sev1), one.becomes(.lowered, at: 2, .sev2)], known: .sev2,
            notified: []),
        Story(
            testDescription: "it rose and is acknowledged",
            changes: [
                one.becomes(.raised, at: 1, .sev1), one.becomes(.acknowledged, at: 2, .sev1),
            ], known: .sev2, notified: [.raised, .acknowledged]),
        Story(
            testDescription: "reminders are merged", changes: [1, 2, 3].map { one.becomes(.reminded, at: $0) },
            known: .sev2, notified: [.reminded]),
        Story(
            testDescription: "escalation is named as the reason",
            changes: [one.becomes(.escalated, at: 600), one.becomes(.reminded, at: 700)], notified: [.escalated]),
    ])
    func onlyThePresentStateIsSent(_ story: Story) {
        let queue = Self.queue(story.changes, known: story.known.map { [1: $0] } ?? [:])
        let updates = queue.updates(of: queue.waiting, Self.grouping, now: Self.now)
        #expect(updates.flatMap(\.changes).map(\.kind) == story.notified)
        #expect(updates.flatMap(\.notifications) == queue.waiting.map(\.id), "all notifications are delivered")
        let isOver = story.changes.last?.kind == .resolved
        #expect(updates.flatMap(\.over) == (isOver ? [1] : []))
        #expect(updates.first?.notified[1]?.severity == (isOver ? nil : story.changes.last?.incident.severity))
        if story.notified.first == .opened {
            #expect(updates.first?.changes.first?.incident.severity == story.changes.last?.incident.severity)
        }
    }

    @Test func aMessageWaitsForRelatedChanges() {
        var queue = Self.queue([Self.one.becomes(.opened, at: 1)])
        #expect(queue.nextBatch(Self.grouping, now: Self.now)?.at == Self.now + 10_000)
        // The recipient was notified of this cause a while ago, or just now.
        queue.lastNotifiedByCause["silent/asia"] = Self.now - 300_000
        #expect(queue.nextBatch(Self.grouping, now: Self.now)?.at == Self.now + 10_000)
        queue.lastNotifiedByCause["silent/asia"] = Self.now - 5_000
        #expect(queue.nextBatch(Self.grouping, now: Self.now)?.at == Self.now + 55_000)
        // Another cause does not wait for it, and includes it.
        queue.waiting.append(
            PendingNotification(
                id: 9, change: anIncident(9, region: "europe").becomes(.opened, at: 2), created: Self.now + 1_000))
        let batch = queue.nextBatch(Self.grouping, now: Self.now + 1_000)
        #expect(batch?.at == Self.now + 11_000)
        #expect(batch?.notifications.count == 2)
        queue.state.sent = Self.now + 4_000
        #expect(queue.nextBatch(Self.grouping, now: Self.now + 4_000)?.at == Self.now + 14_000)
    }

    @Test func relatedIncidentsFormOneThread() {
        let queue = Self.queue((1...3).map { anIncident($0, node: "n\($0)").becomes(.opened, at: 1) })
        let first = queue.updates(of: queue.waiting, Self.grouping, now: Self.now)
        #expect(first.map(\.thread) == ["1/0"])
        #expect(first[0].changes.count == 3)
        // One more within the window, one much later, and one elsewhere.
        var next = RecipientQueue()
        next.notified = first[0].notified
        func thread(_ incident: Incident, at now: Int64) -> String? {
            next.waiting = [PendingNotification(id: 4, change: incident.becomes(.opened, at: 2), created: now)]
            return next.updates(of: next.waiting, Self.grouping, now: now).first?.thread
        }
        #expect(thread(anIncident(4, node: "n4"), at: Self.now + 60_000) == "1/0")
        #expect(thread(anIncident(4, node: "n4"), at: Self.now + 600_000) == "4/0")
        #expect(thread(anIncident(4, region: "europe"), at: Self.now + 60_000) == "4/0")
        // Two resolve, then the last one.
        next.waiting = [1, 2].map {
            PendingNotification(id: $0, change: anIncident($0).becomes(.resolved, at: 3), created: Self.now)
        }
        let some = next.updates(of: next.waiting, Self.grouping, now: Self.now)
        #expect(some.map(\.isOver) == [false])
        for id in some[0].over { next.notified[id] = nil }
        next.waiting = [PendingNotification(id: 3, change: anIncident(3).becomes(.resolved, at: 3), created: Self.now)]
        #expect(next.updates(of: next.waiting, Self.grouping, now: Self.now).map(\.isOver) == [true])
    }
}
