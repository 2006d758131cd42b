import Foundation
import Logging
import Monitor
import SQLite
import Synchronization
import Testing
import Wire

/// The watch on a real file: what is on the disk when, and what a failing disk does.
@Suite(.timeLimit(.minutes(15))) struct WatchTests {
    @Test func aBeatIsOnTheDiskWhenItIsAnswered() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        try await live.push(seq: 1)
        let other = try Connection(path: live.store.database.path, access: .readOnly)
        #expect(try other.first("SELECT sequence FROM beat") { $0.integer(0) } == 1)
        #expect(live.watch.node("tokyo")?.state == .up)
        #expect(live.watch.node("tokyo")?.body?.ramPct == 27.7)
    }

    @Test func aTokenIsKeptAsItsHashOnly() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        try await live.push()
        let token = try #require(live.tokens["tokyo"]?.text)
        for file in try FileManager.default.contentsOfDirectory(at: live.folder, includingPropertiesForKeys: nil) {
            #expect(try Data(contentsOf: file).range(of: Data(token.utf8)) == nil, "\(file.lastPathComponent)")
        }
    }

    @Test func aStrangersTokenIsRefusedAndCounted() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        for _ in 0..<1_000 {
            await #expect(throws: PushRefusal.unknownToken) {
                try await live.watch.receive(token: PushToken().text, status: nil, msg: nil, ping: nil, body: [])
            }
        }
        try await live.push()
        #expect(live.watch.figures.unknownTokens == 1_000)
        #expect(live.watch.figures.beats == 1)
    }

    @Test func aPusherGoneWildIsHeldBack() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        for seq in 1...20 { try await live.push(seq: Int64(seq)) }
        await #expect(throws: PushRefusal.tooMany) { try await live.push(seq: 21) }
        live.clock.advance(0.2)
        try await live.push(seq: 22)
    }

    @Test func whyAPushWasRefusedIsShown() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        try await live.push { $0.ramPct = 200 }
        #expect(live.watch.node("tokyo")?.refused == "ram_pct is not between 0 and 100.")
        try await live.push()
        #expect(live.watch.node("tokyo")?.refused == nil)
    }

    /// Whatever comes with the right token, its node lives.
    @Test func aPushWithWhatCannotBeReadIsASignOfLife() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        try await live.push()
        for _ in 0..<20 {
            await live.wait(25)
            _ = try await live.watch.receive(
                token: live.tokens["tokyo"]?.text ?? "", status: "up", msg: "OK", ping: "12,7", body: Array("{}".utf8))
        }
        #expect(live.watch.node("tokyo")?.state == .up)
        #expect(live.watch.node("tokyo")?.refused != nil)
    }

    /// Who was renamed is not simply silent.
    @Test func whyNoBeatOfItCountsStandsInTheAlarm() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        try await live.push()
        for _ in 0..<4 {
            await live.wait(30)
            await #expect(throws: PushRefusal.otherNode("renamed")) { try await live.push { $0.node = "renamed" } }
        }
        let silent = try #require(live.watch.fleet().incidents.first { $0.rule == "silent" })
        #expect(
            silent.detail.contains("pushes were refused in the last") && silent.detail.contains("renamed"),
            "\(silent.detail)")
    }

    @Test func silenceIsToldAndOnRecord() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        try await live.push()
        await live.wait(301)
        #expect(live.told.lines == ["opened tokyo/silent sev2", "raised tokyo/silent sev1"])
        let rows = try Connection(path: live.store.database.path, access: .readOnly)
            .all("SELECT kind, severity FROM incident_change ORDER BY at") { "\($0.text(0)) \($0.text(1))" }
        #expect(rows == ["opened sev2", "raised sev1"])
    }

    // MARK: After a kill

    @Test func afterAKillNothingIsToldAgainAndNothingForgotten() async throws {
        let live = try await LiveWatch(["tokyo", "seoul"])
        defer { live.remove() }
        try await live.push("tokyo", seq: 7)
        try await live.push("seoul", seq: 7)
        await live.wait(35)
        try await live.push("seoul", seq: 8)
        await live.wait(35)
        #expect(live.told.lines == ["opened tokyo/silent sev2"])
        live.clock.advance(40)
        let next = try await live.again()
        #expect(next.watch.fleet().incidents.map(\.key) == ["tokyo/silent"])
        await #expect(throws: PushRefusal.replayed) { try await next.push("seoul", seq: 8) }
        for turn in 0..<4 {
            try await next.push("seoul", seq: Int64(9 + turn))
            await next.wait(20)
        }
        #expect(next.told.lines == ["opened tokyo/silent sev2"])
        try await next.push("tokyo", seq: 8)
        await next.wait(30)
        try await next.push("tokyo", seq: 9)
        await next.wait(1)
        #expect(next.told.lines.contains("resolved tokyo/silent sev2"))
    }

    @Test func theWitnessSurvivesAKillWithinTheMinute() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        try await live.push(seq: 1) { ($0.auditEpoch, $0.auditSeq, $0.auditHead) = (1, 500, "head") }
        let next = try await live.again()
        for turn in 2...5 {
            await next.wait(30)
            try await next.push(seq: Int64(turn)) { ($0.auditEpoch, $0.auditSeq, $0.auditHead) = (1, 499, "older") }
        }
        await next.wait(1)
        #expect(next.told.lines == ["opened tokyo/audit-chain sev1"])
    }

    @Test func silencesAndPlannedWorkSurviveAKill() async throws {
        let live = try await LiveWatch(["tokyo", "seoul"])
        defer { live.remove() }
        try await live.push("tokyo")
        try await live.push("seoul")
        _ = try await live.watch.silence(node: "tokyo", rule: nil, by: "soc", reason: "known", for: 3_600_000)
        _ = try await live.watch.maintain(nodes: ["seoul"], by: "soc", reason: "deploy", for: 3_600_000)
        let next = try await live.again()
        await next.wait(600)
        #expect(next.told.lines.isEmpty == false || next.watch.fleet().incidents.first?.hiddenBy != nil)
        #expect(next.watch.fleet().incidents.map(\.key) == ["tokyo/silent"])
        #expect(next.watch.fleet().incidents.first?.hiddenBy?.hasPrefix("silence/") == true)
        #expect(next.watch.node("seoul")?.state == .maintenance)
    }

    @Test func aClockThatIsBehindRevivesNoPlannedWork() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        try await live.push()
        _ = try await live.watch.maintain(nodes: [], by: "soc", reason: "deploy", for: 60_000)
        _ = try await live.watch.silence(node: nil, rule: nil, by: "soc", reason: "deploy", for: 60_000)
        await live.wait(90)
        try await live.push()
        live.clock.set(back: 3_600)
        let next = try await live.again()
        #expect(next.watch.fleet().leases.isEmpty)
        #expect(next.watch.fleet().silences.isEmpty)
    }

    @Test func whatWasAcceptedStaysSoThoughTheNodeIsSilent() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        try await live.push(seq: 1) { ($0.auditEpoch, $0.auditSeq, $0.auditHead) = (1, 500, "head") }
        await live.wait(90)
        try await live.push(seq: 2) { ($0.auditEpoch, $0.auditSeq, $0.auditHead) = (1, 400, "older") }
        await live.wait(1)
        let incident = try #require(live.watch.fleet().incidents.first { $0.rule == "audit-chain" })
        await live.wait(60)
        try await live.watch.accept(incident.id)
        let next = try await live.again()
        await next.wait(90)
        try await next.push(seq: 3) { ($0.auditEpoch, $0.auditSeq, $0.auditHead) = (1, 401, "its next") }
        await next.wait(1)
        #expect(next.watch.fleet().incidents.filter { $0.rule == "audit-chain" } == [])
    }

    @Test func whatFlappedBeforeAKillFlapsAfterIt() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        try await live.push()
        for _ in 0..<4 {
            await live.wait(90)
            for _ in 0..<3 {
                try await live.push()
                await live.wait(20)
            }
        }
        let next = try await live.again()
        await next.wait(70)
        for _ in 0..<2 {
            try await next.push()
            await next.wait(20)
        }
        await next.wait(90)
        #expect(next.watch.fleet().incidents.map(\.key).contains("tokyo/silent/flapping"))
    }

    @Test func anOldStartOfBeforeAKillIsStillOld() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        try await live.push(seq: 5)
        live.clock.advance(1)
        try await live.push(seq: 1) { $0.bootID = "another start" }
        let next = try await live.again()
        await #expect(throws: PushRefusal.replayed) { try await next.push(seq: 6) }
    }

    // MARK: Asked from here

    /// Those that are overdue, and no others, are asked where they serve.
    @Test func whoIsOverdueIsAsked() async throws {
        let asked = Mutex<[String]>([])
        let live = try await LiveWatch(["tokyo", "seoul"])
        defer { live.remove() }
        let places = ["tokyo", "seoul"].map {
            NodePlace(name: $0, city: nil, latitude: nil, longitude: nil, url: "https://\($0).example")
        }
        let watch = try await Watch(
            store: live.store, places: places,
            world: .init(
                now: { live.clock.now },
                asks: { url in
                    asked.withLock { $0.append(url) }
                    return false
                }), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, tell: { _, _ in })
        for second in 0..<200 {
            if second % 30 == 0 {
                _ = try await watch.receive(
                    token: live.tokens["seoul"]?.text ?? "", status: "up", msg: nil, ping: nil, body: nil)
            }
            if second % 30 == 0, second < 100 {
                _ = try await watch.receive(
                    token: live.tokens["tokyo"]?.text ?? "", status: "up", msg: nil, ping: nil, body: nil)
            }
            live.clock.advance(1)
            await watch.look()
            if second == 110 || second == 140 { await watch.askOverdue() }
        }
        #expect(asked.withLock { $0 } == ["https://tokyo.example/readyz"])
        let incident = try #require(watch.fleet().incidents.first)
        #expect(incident.detail.hasSuffix("Asked from here, it does not answer."), "\(incident.detail)")
    }

    // MARK: What is on record is told

    @Test func anIncidentAndItsTellingAreOneTransaction() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        let hook = ChannelSettings(name: "hook", kind: .webhook(.init(urlFile: "/hook", keyFile: nil)))
        let settings = try NotificationSettings(
            channels: [hook], routes: [Route(channel: "hook", severities: [.sev2], after: 0, resend: 0)])
        let outbox = Outbox(ledger: live.store.ledger, lines: ["hook": ["hook"]])
        let notifier = Notifier(
            outbox: outbox, settings: settings, clock: ContinuousClock(), now: { live.clock.now.wall },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let told = try await live.again { try await notifier.tell($0, record: $1) }
        try await told.push()
        _ = try await live.store.database.write { db in
            try db.run("ALTER TABLE telling RENAME TO elsewhere")
        }
        await told.wait(140)
        func count(_ sql: StaticString) async throws -> Int {
            try await live.store.database.read { db in try db.first(sql) { $0.int(0) } ?? -1 }
        }
        #expect(try await count("SELECT count(*) FROM incident") == 0, "on record, and never told")
        #expect(try await count("SELECT count(*) FROM escalation") == 0)
        _ = try await live.store.database.write { db in
            try db.run("ALTER TABLE elsewhere RENAME TO telling")
        }
        await told.wait(1)
        #expect(try await count("SELECT count(*) FROM incident") == 1)
        #expect(try await count("SELECT count(*) FROM escalation") == 1)
        #expect(try await count("SELECT count(*) FROM telling") == 1)
    }

    // MARK: A clock that jumps

    /// +400 days for twenty seconds: history, sessions and tokens are as they were.
    @Test func aClockThatJumpsDeletesNothing() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        try await live.push(seq: 1)
        await live.wait(120)
        await live.watch.keepMinute(minute: live.clock.now.wall / 60_000)
        let hour = live.clock.now.wall
        _ = try await live.store.database.write { db in
            try db.run("INSERT INTO operator (name, salt, hash, added) VALUES ('soc', x'', x'', 0)")
            try db.run(
                "INSERT INTO session (token_hash, operator, csrf, expires, reads_only) VALUES (x'01', 'soc', '', ?, 0)",
                .integer(hour + 86_400_000))
        }
        func rows() async throws -> [Int] {
            try await live.store.database.read { db in
                try ["beat", "minute", "session"].map { table in
                    switch table {
                    case "beat": try db.first("SELECT count(*) FROM beat") { $0.int(0) } ?? -1
                    case "minute": try db.first("SELECT count(*) FROM minute") { $0.int(0) } ?? -1
                    default: try db.first("SELECT count(*) FROM session") { $0.int(0) } ?? -1
                    }
                }
            }
        }
        let before = try await rows()
        #expect(before.allSatisfy { $0 > 0 })
        live.clock.set(back: -400 * 86_400)
        await live.wait(20)
        await live.watch.keepHousehold(hasNewHour: true, forgets: true)
        #expect(try await rows() == before)
        live.clock.set(back: 400 * 86_400)
        await live.wait(20)
        await live.watch.keepHousehold(hasNewHour: true, forgets: true)
        #expect(try await rows() == before)
    }

    // MARK: A failing store

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
        #expect(live.told.lines == [])
        #expect(live.watch.node("tokyo")?.state == .up)
    }

    @Test func anIncidentThatCannotBeWrittenIsToldWhenItCan() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        try await live.push()
        try await live.store.database.maintain { db in
            try db.script("CREATE TRIGGER full BEFORE INSERT ON incident BEGIN SELECT RAISE(ABORT, 'disk full'); END")
        }
        await live.wait(120)
        #expect(live.told.lines == [])
        #expect(live.watch.figures.isStoreWell == false)
        try await live.store.database.maintain { db in try db.script("DROP TRIGGER full") }
        await live.wait(2)
        #expect(live.told.lines == ["opened tokyo/silent sev2"])
        #expect(live.watch.figures.isStoreWell)
    }

    @Test func whatTheOutboxDidNotTakeIsHandedOverAgain() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        try await live.push()
        live.told.fails = true
        await live.wait(70)
        #expect(live.told.lines == [])
        live.told.fails = false
        await live.wait(1)
        #expect(live.told.lines == ["opened tokyo/silent sev2"])
    }

    /// Whoever notifies is deaf while a node goes, comes back and goes again: the batch is written again and again.
    @Test func oneKeyOpenedTwiceInABatchThatIsWrittenAgainJamsNothing() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        try await live.push()
        live.told.fails = true
        await live.wait(70)
        for _ in 0..<3 {
            try await live.push()
            await live.wait(30)
        }
        await live.wait(70)
        live.told.fails = false
        await live.wait(1)
        #expect(
            live.told.lines == [
                "opened tokyo/silent sev2", "resolved tokyo/silent sev2", "opened tokyo/silent sev2",
            ])
        #expect(live.watch.figures.isStoreWell)
    }

    /// A node with the name, or the number, of one that was removed has nothing of its past.
    @Test func aNewNodeHasNoPast() async throws {
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
        try await live.store.addNode(NodeName("seoul"), tokenHash: token.hash, now: 0)
        try await live.watch.reloadNodes()
        await live.wait(1)
        let again = try await live.again().watch
        #expect(live.told.lines == ["opened tokyo/disk sev1", "resolved tokyo/disk sev1"])
        #expect(again.fleet().nodes.map(\.name) == ["seoul"])
        #expect(again.node("seoul")?.lastBeat == nil)
    }

    @Test func manyLooksAtOnceTellOnce() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        try await live.push()
        for _ in 0..<64 {
            live.clock.advance(1)
            await live.watch.look()
        }
        live.clock.advance(2)
        await withTaskGroup(of: Void.self) { tasks in for _ in 0..<20 { tasks.addTask { await live.watch.look() } } }
        await live.wait(5)
        let rows = try Connection(path: live.store.database.path, access: .readOnly)
            .first("SELECT COUNT(*) FROM incident") { $0.int(0) }
        #expect(rows == 1)
    }
}
