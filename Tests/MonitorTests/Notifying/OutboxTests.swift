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

    @Test func notificationsAndStateAreOneTransaction() async throws {
        let rig = try NotifyingRig()
        let other = try Connection(path: rig.folder.file("monitor.db"), access: .readWrite)
        try other.script("CREATE TRIGGER full BEFORE INSERT ON telling BEGIN SELECT RAISE(ABORT, 'disk full'); END")
        await #expect(throws: SQLiteError.self) { try await rig.notifier.notify([opened(1, rig)]) }
        #expect(try other.first("SELECT count(*) FROM escalation", row: { $0.int(0) }) == 0)
        try other.script("DROP TRIGGER full")
        try await rig.notifier.notify([opened(1, rig)])
        #expect(try await rig.queue().incidents == [1])
    }

    @Test func aRepeatedBatchIsNotifiedOnceEvenAfterARestart() async throws {
        let rig = try NotifyingRig()
        let batch = [opened(1, rig)]
        try await rig.notifier.notify(batch)
        let after = try NotifyingRig(in: rig.folder)
        try await after.notifier.notify(batch)
        #expect(try await after.queue().incidents == [1])
    }

    @Test func escalationContinuesAfterARestart() async throws {
        let rig = try NotifyingRig(hooks: ["hook", "boss"], routes: Self.ladder)
        try await rig.notifier.notify([opened(1, rig)])
        let after = try NotifyingRig(hooks: ["hook", "boss"], routes: Self.ladder, in: rig.folder)
        let task = Task { [notifier = after.notifier] in try await notifier.run() }
        for _ in 0..<10 {
            await after.clock.sleepers(1)
            #expect(try await after.queue("boss").isClear)
            after.clock.advance(by: .seconds(60))
        }
        let queue = try await after.until("boss") { !$0.isClear }
        #expect(queue.waiting.map(\.change.kind) == [.escalated])
        task.cancel()
        try await task.value
    }

    @Test func newRoutesApplyAfterARestart() async throws {
        let rig = try NotifyingRig(hooks: ["hook", "boss"], routes: [Self.ladder[0]])
        try await rig.notifier.notify([opened(1, rig)])
        let after = try NotifyingRig(hooks: ["hook", "boss"], routes: Self.ladder, in: rig.folder)
        try await after.notifier.tick(.all)
        #expect(try await after.outbox.nextDue() == NotifyingRig.start + 600_000)
    }

    @Test func theNumberOfNotificationsIsBounded() async throws {
        let rig = try NotifyingRig(limit: 5)
        for id in 1...7 { try await rig.put(Int64(id)) }
        #expect(try await rig.queue().incidents == [3, 4, 5, 6, 7], "the newest say best what is the matter")
    }

    @Test func aChannelThatFailsForDaysKeepsOneReminder() async throws {
        let rig = try NotifyingRig()
        try await rig.put(1)
        for _ in 0..<50 { try await rig.put(1, .reminded) }
        #expect(try await rig.queue().waiting.map(\.change.kind) == [.opened, .reminded])
    }

    @Test func notificationsOfARemovedChannelAreDeleted() async throws {
        let rig = try NotifyingRig(hooks: ["hook", "old"])
        try await rig.put(1, to: "old")
        let after = try NotifyingRig(in: rig.folder)
        #expect(try await after.outbox.migrateRecipients() == ["old"])
        #expect(try await after.queue("old").isClear)
    }

    @Test func unreadableRowsBlockNothing() async throws {
        let rig = try NotifyingRig(hooks: ["hook", "boss"], routes: Self.ladder)
        try await rig.notifier.notify([opened(1, rig), opened(2, rig)])
        try await rig.put(3)
        let other = try Connection(path: rig.folder.file("monitor.db"), access: .readWrite)
        try other.script("UPDATE escalation SET state = '{}' WHERE incident = 1")
        try other.script("UPDATE telling SET change = '{}' WHERE id = 1")
        rig.clock.advance(by: .seconds(600))
        try await rig.notifier.tick(.due(rig.now))
        #expect(try await rig.outbox.nextDue() == nil)
        try await rig.delivering {
            try await rig.until { $0.isClear && $0.unreadable.isEmpty }
            try await rig.until("boss") { $0.isClear }
        }
        let sent = rig.network.requests.map { "\($0.url.exposed.contains("boss") ? "boss" : "hook") \($0.words)" }
        #expect(sent.sorted() == [#"boss ["escalated 2"]"#, #"hook ["opened 2", "opened 3"]"#])
    }

    /// Rows of version 0.1.0: pending messages, and incidents that channels were notified of.
    @Test func rowsOfAnOlderVersionAreNotified() async throws {
        let folder = try Scratch()
        do {
            let old = try Database(
                path: folder.file("monitor.db"), migrations: Array(MonitorSchema.migrations.prefix(3)))
            try await old.write { database in
                for (key, channel, waits) in [("a", "mail", true), ("b", "hook", false), ("c", "gone", true)] {
                    let change = try JSONEncoder().encode(IncidentChange(.opened, anIncident(1), at: 5))
                    let payload = #"{"changes": [\#(String(decoding: change, as: UTF8.self))], "total": 1}"#
                    try database.run(
                        "INSERT INTO notification (key, channel, payload, created, next_attempt, delivered_at) VALUES (?, ?, ?, 7, ?, ?)",
                        .text(key), .text(channel), .text(payload), .integer(waits ? 7 : nil),
                        .integer(waits ? nil : 8))
                }
                var escalation = Escalation()
                _ = escalation.apply(
                    [IncidentChange(.opened, anIncident(1), at: 5)],
                    routes: [Route(channel: "mail", severities: [.sev2]), Route(channel: "hook", severities: [.sev2])])
                let state = try JSONEncoder().encode(escalation.tracked[1])
                try database.run(
                    "INSERT INTO escalation (incident, state) VALUES (1, ?)",
                    .text(String(decoding: state, as: UTF8.self)))
            }
        }
        let mail = ChannelSettings(
            name: "mail", kind: .email(.init(host: "m", from: "c@example.org", to: ["a@example.org", "b@example.org"])))
        let hook = ChannelSettings(name: "hook", kind: .webhook(.init(urlFile: "/hook")))
        let rig = try NotifyingRig(channels: [mail, hook], in: folder)
        #expect(try await rig.outbox.migrateRecipients() == ["gone"])
        for line in ["mail/a@example.org", "mail/b@example.org"] {
            let queue = try await rig.queue(line)
            #expect(queue.incidents == [1])
            #expect(queue.notified.isEmpty)
        }
        let queue = try await rig.queue()
        #expect(queue.isClear)
        #expect(queue.notified[1]?.severity == .sev2)
        #expect(queue.notified[1]?.thread == "1/0")
        #expect(queue.notified[1]?.cause == "silent/asia")
    }
}
