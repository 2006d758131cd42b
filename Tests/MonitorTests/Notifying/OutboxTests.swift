import Foundation
import Monitor
import SQLite
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) struct OutboxTests {
    private static let ladder = [
        Route(channel: "hook", severities: [.sev2, .sev1]), Route(channel: "boss", severities: [.sev2], after: 600),
    ]

    private func opened(_ id: Int64, _ rig: NotifyingRig) -> IncidentChange {
        IncidentChange(.opened, anIncident(id), at: rig.now)
    }

    @Test func messagesAndStateAreOneTransaction() async throws {
        let rig = try NotifyingRig()
        let other = try Connection(path: rig.folder.path("monitor.db"), access: .readWrite)
        try other.script(
            "CREATE TRIGGER full BEFORE INSERT ON notification BEGIN SELECT RAISE(ABORT, 'disk full'); END")
        await #expect(throws: SQLiteError.self) { try await rig.notifier.tell([opened(1, rig)]) }
        #expect(try other.first("SELECT count(*) FROM escalation", row: { $0.int(0) }) == 0)
        try other.script("DROP TRIGGER full")
        try await rig.notifier.tell([opened(1, rig)])
        #expect(try await rig.outbox.list().count == 1)
    }

    @Test func aBatchHandedOverAgainIsToldOnceEvenAfterARestart() async throws {
        let rig = try NotifyingRig()
        let batch = [opened(1, rig), IncidentChange(.resolved, anIncident(1), at: rig.now)]
        try await rig.notifier.tell(batch)
        let after = try NotifyingRig(in: rig.folder)
        try await after.notifier.tell(batch)
        #expect(try await after.outbox.list().count == 1)
    }

    @Test func escalationGoesOnAfterARestart() async throws {
        let rig = try NotifyingRig(hooks: ["hook", "boss"], routes: Self.ladder)
        try await rig.notifier.tell([opened(1, rig)])
        let after = try NotifyingRig(hooks: ["hook", "boss"], routes: Self.ladder, in: rig.folder)
        let task = Task { [notifier = after.notifier] in try await notifier.run() }
        for _ in 0..<10 {
            await after.clock.sleepers(1)
            #expect(try await after.outbox.list().count == 1)
            after.clock.advance(by: .seconds(60))
        }
        let rows = try await after.until { $0.count == 2 }
        #expect(rows.last?.message?.changes.map(\.kind) == [.escalated])
        #expect(rows.last?.channel == "boss")
        task.cancel()
        try await task.value
    }

    @Test func anotherSetOfRoutesIsInForceAfterARestart() async throws {
        let rig = try NotifyingRig(hooks: ["hook", "boss"], routes: [Self.ladder[0]])
        try await rig.notifier.tell([opened(1, rig)])
        let after = try NotifyingRig(hooks: ["hook", "boss"], routes: Self.ladder, in: rig.folder)
        try await after.notifier.tick(.all)
        #expect(try await after.outbox.nextDue() == NotifyingRig.start + 600_000)
    }

    @Test func theNumberOfRowsIsBounded() async throws {
        let rig = try NotifyingRig(limit: 5)
        for id in 1...4 { try await rig.put(Int64(id)) }
        let first = try #require(try await rig.outbox.next(for: "hook", now: rig.now))
        #expect(first.message?.changes.first?.incident.id == 1)
        let third = try await rig.outbox.list()[1]
        try await rig.outbox.markDelivered(third.id, at: rig.now)
        for id in 5...7 { try await rig.put(Int64(id)) }
        let left = try await rig.outbox.list().compactMap { $0.message?.changes.first?.incident.id }
        #expect(left == [7, 6, 5, 4, 2], "the delivered one went first, then the oldest")
    }

    @Test func whatWasDeliveredIsForgottenAfterAMonthAndWhatFailedIsKept() async throws {
        let rig = try NotifyingRig()
        for id in 1...3 { try await rig.put(Int64(id)) }
        let rows = try await rig.outbox.list()
        try await rig.outbox.markDelivered(rows[0].id, at: rig.now)
        try await rig.outbox.markFailed(
            rows[1].id, DeliveryFailure(.refused, "no"), next: nil, progress: 0, at: rig.now)
        let month: Int64 = 30 * 86_400_000
        try await rig.outbox.prune(now: rig.now + month)
        #expect(try await rig.outbox.list().count == 3)
        try await rig.outbox.prune(now: rig.now + month + 1)
        #expect(try await rig.outbox.list().map(\.id) == [rows[1].id, rows[2].id])
    }

    @Test func rowsOfAChannelThatIsNoMoreAreGivenUp() async throws {
        let rig = try NotifyingRig(hooks: ["hook", "old"])
        try await rig.put(1, to: "old")
        let after = try NotifyingRig(in: rig.folder)
        try await after.outbox.abandonUnknown(at: after.now)
        let row = try #require(try await after.outbox.list().first)
        #expect(row.isFailed)
        #expect(row.lastError == "the channel is no longer configured")
    }

    @Test func rowsThatCannotBeReadStopNobody() async throws {
        let rig = try NotifyingRig(hooks: ["hook", "boss"], routes: Self.ladder)
        try await rig.notifier.tell([opened(1, rig), opened(2, rig)])
        try await rig.put(3)
        let other = try Connection(path: rig.folder.path("monitor.db"), access: .readWrite)
        try other.script("UPDATE escalation SET state = '{}' WHERE incident = 1")
        try other.script("UPDATE notification SET payload = '{}' WHERE id = 1")
        rig.clock.advance(by: .seconds(600))
        try await rig.notifier.tick(.due(rig.now))
        #expect(try await rig.outbox.nextDue() == nil)
        try await rig.delivering {
            let rows = try await rig.until { rows in rows.allSatisfy { $0.isDelivered || $0.isFailed } }
            #expect(rows.map(\.isFailed) == [true, false, false])
            #expect(rows.last?.channel == "boss", "the other incident has been escalated")
        }
    }
}
