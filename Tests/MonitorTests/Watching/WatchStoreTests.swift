import Foundation
import Logging
import Monitor
import SQLite
import Testing
import Wire

/// The watch and its store: transactions, and behavior with a failing disk.
@Suite(.timeLimit(.minutes(15))) struct WatchStoreTests {
    @Test func anIncidentAndItsNotificationAreOneTransaction() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        let hook = ChannelSettings(name: "hook", kind: .webhook(.init(urlFile: "/hook", keyFile: nil)))
        let settings = try NotificationSettings(
            channels: [hook], routes: [Route(channel: "hook", severities: [.sev2], after: 0, resend: 0)])
        let outbox = Outbox(alerts: live.store.alerts, recipients: ["hook": ["hook"]])
        let notifier = Notifier(
            outbox: outbox, settings: settings, clock: ContinuousClock(), now: { live.clock.now.wall },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let notified = try await live.again { try await notifier.notify($0, record: $1) }
        try await notified.push()
        _ = try await live.store.database.write { db in
            try db.run("ALTER TABLE telling RENAME TO elsewhere")
        }
        await notified.wait(140)
        func count(_ sql: StaticString) async throws -> Int {
            try await live.store.database.read { db in try db.first(sql) { $0.int(0) } ?? -1 }
        }
        #expect(try await count("SELECT count(*) FROM incident") == 0, "stored but never notified")
        #expect(try await count("SELECT count(*) FROM escalation") == 0)
        _ = try await live.store.database.write { db in
            try db.run("ALTER TABLE elsewhere RENAME TO telling")
        }
        await notified.wait(1)
        #expect(try await count("SELECT count(*) FROM incident") == 1)
        #expect(try await count("SELECT count(*) FROM escalation") == 1)
        #expect(try await count("SELECT count(*) FROM telling") == 1)
    }

    @Test func aStoreThatFailsMakesNoNodeSilent() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        try await live.push(seq: 1)
        try await live.store.database.maintain { db in
            try db.script("CREATE TRIGGER full BEFORE INSERT ON beat BEGIN SELECT RAISE(ABORT, 'disk full'); END")
        }
        for turn in 2...20 {
            await live.wait(30)
            await #expect(throws: SQLiteError.self) { try await live.push(seq: Int64(turn)) }
        }
        #expect(live.notified.lines == [])
        #expect(live.watch.node("tokyo")?.state == .up)
    }

    @Test func anIncidentIsNotifiedOnceItCanBeStored() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        try await live.push()
        try await live.store.database.maintain { db in
            try db.script("CREATE TRIGGER full BEFORE INSERT ON incident BEGIN SELECT RAISE(ABORT, 'disk full'); END")
        }
        await live.wait(120)
        #expect(live.notified.lines == [])
        #expect(live.watch.statistics.isStoreHealthy == false)
        try await live.store.database.maintain { db in try db.script("DROP TRIGGER full") }
        await live.wait(2)
        #expect(live.notified.lines == ["opened tokyo/silent sev2"])
        #expect(live.watch.statistics.isStoreHealthy)
    }

    @Test func changesThatTheOutboxRejectedArePassedAgain() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        try await live.push()
        live.notified.fails = true
        await live.wait(70)
        #expect(live.notified.lines == [])
        live.notified.fails = false
        await live.wait(1)
        #expect(live.notified.lines == ["opened tokyo/silent sev2"])
    }

    /// The notifier fails while a node falls silent, recovers and falls silent again: the batch is repeated.
    @Test func aKeyOpenedTwiceInARepeatedBatchIsStored() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        try await live.push()
        live.notified.fails = true
        await live.wait(70)
        for _ in 0..<3 {
            try await live.push()
            await live.wait(30)
        }
        await live.wait(70)
        live.notified.fails = false
        await live.wait(1)
        #expect(
            live.notified.lines == [
                "opened tokyo/silent sev2", "resolved tokyo/silent sev2", "opened tokyo/silent sev2",
            ])
        #expect(live.watch.statistics.isStoreHealthy)
    }

    /// A node with the name or id of a removed one has none of its history.
    @Test func aNewNodeHasNoHistory() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        for _ in 0..<3 {
            try await live.push()
            await live.wait(30)
        }
        try await live.push { $0.diskPct = 99 }
        await live.wait(1)
        try await live.store.removeNode("tokyo")
        let token = PushToken()
        try await live.store.addNode(MonitoredNode("seoul"), tokenHash: token.hash, now: 0)
        try await live.watch.reloadNodes()
        await live.wait(1)
        let again = try await live.again().watch
        #expect(live.notified.lines == ["opened tokyo/disk sev1", "resolved tokyo/disk sev1"])
        #expect(again.fleet().nodes.map(\.name) == ["seoul"])
        #expect(again.node("seoul")?.lastBeat == nil)
    }

    @Test func concurrentTicksNotifyOnce() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        try await live.push()
        for _ in 0..<64 {
            live.clock.advance(1)
            await live.watch.tick()
        }
        live.clock.advance(2)
        await withTaskGroup(of: Void.self) { tasks in for _ in 0..<20 { tasks.addTask { await live.watch.tick() } } }
        await live.wait(5)
        let rows = try Connection(path: live.store.database.path, access: .readOnly)
            .first("SELECT COUNT(*) FROM incident") { $0.int(0) }
        #expect(rows == 1)
    }
}
