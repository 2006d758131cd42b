import Foundation
import Logging
import Monitor
import SQLite
import Synchronization
import TestSupport
import Testing
import Wire

/// The watch with a real file: pushes, durability, probes and clock changes.
@Suite(.timeLimit(.minutes(15))) struct WatchTests {
    @Test func aHeartbeatIsDurableWhenItIsAcknowledged() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        try await live.push(seq: 1)
        let other = try Connection(path: live.store.database.path, access: .readOnly)
        #expect(try other.first("SELECT sequence FROM beat") { $0.integer(0) } == 1)
        #expect(live.watch.node("tokyo")?.state == .up)
        #expect(live.watch.node("tokyo")?.body?.ramPct == 27.7)
    }

    @Test func onlyTheTokensHashIsStored() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        try await live.push()
        let token = try #require(live.tokens["tokyo"]?.text)
        for file in try FileManager.default.contentsOfDirectory(at: live.folder.folder, includingPropertiesForKeys: nil)
        {
            #expect(try Data(contentsOf: file).range(of: Data(token.utf8)) == nil, "\(file.lastPathComponent)")
        }
    }

    @Test func anUnknownTokenIsRejectedAndCounted() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        for _ in 0..<1_000 {
            await #expect(throws: PushRejection.unknownToken) {
                try await live.watch.receive(token: PushToken().text, status: nil, msg: nil, ping: nil, body: [])
            }
        }
        try await live.push()
        #expect(live.watch.statistics.unknownTokens == 1_000)
        #expect(live.watch.statistics.beats == 1)
    }

    @Test func tooManyPushesAreRejected() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        for seq in 1...20 { try await live.push(seq: Int64(seq)) }
        await #expect(throws: PushRejection.tooMany) { try await live.push(seq: 21) }
        live.clock.advance(0.2)
        try await live.push(seq: 22)
    }

    @Test func theReasonOfARejectedPushIsShown() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        try await live.push { $0.ramPct = 200 }
        #expect(live.watch.node("tokyo")?.refused == "ram_pct must be between 0 and 100.")
        try await live.push()
        #expect(live.watch.node("tokyo")?.refused == nil)
    }

    /// Any push with a valid token is a sign of life.
    @Test func aMalformedPushIsASignOfLife() async throws {
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

    /// A renamed node is not simply silent.
    @Test func theIncidentExplainsRejectedPushes() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        try await live.push()
        for _ in 0..<4 {
            await live.wait(30)
            await #expect(throws: PushRejection.otherNode("renamed")) { try await live.push { $0.node = "renamed" } }
        }
        let silent = try #require(live.watch.fleet().incidents.first { $0.rule == "silent" })
        #expect(
            silent.detail.contains("pushes were rejected in the last") && silent.detail.contains("renamed"),
            "\(silent.detail)")
    }

    @Test func silenceIsNotifiedAndStored() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        try await live.push()
        await live.wait(301)
        #expect(live.notified.lines == ["opened tokyo/silent sev2", "raised tokyo/silent sev1"])
        let rows = try Connection(path: live.store.database.path, access: .readOnly)
            .all("SELECT kind, severity FROM incident_change ORDER BY at") { "\($0.text(0)) \($0.text(1))" }
        #expect(rows == ["opened sev2", "raised sev1"])
    }

    // MARK: Probes

    /// Only overdue nodes are probed.
    @Test func overdueNodesAreProbed() async throws {
        let asked = Mutex<[String]>([])
        let live = try await LiveWatch(["tokyo", "seoul"])
        defer { live.remove() }
        let locations = ["tokyo", "seoul"].map {
            NodeLocation(name: $0, city: nil, latitude: nil, longitude: nil, url: "https://\($0).example")
        }
        let watch = try await Watch(
            store: live.store, locations: locations,
            dependencies: .init(
                now: { live.clock.now },
                probe: { url in
                    asked.withLock { $0.append(url) }
                    return false
                }), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, notify: { _, _ in })
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
            await watch.tick()
            if second == 110 || second == 140 { await watch.probeOverdueNodes() }
        }
        #expect(asked.withLock { $0 } == ["https://tokyo.example/readyz"])
        let incident = try #require(watch.fleet().incidents.first)
        #expect(incident.detail.hasSuffix("Probed from the hub, it does not respond."), "\(incident.detail)")
    }

    // MARK: A clock that jumps

    /// The clock is 400 days ahead for twenty seconds: history, sessions and tokens stay.
    @Test func aClockThatJumpsDeletesNothing() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        try await live.push(seq: 1)
        await live.wait(120)
        await live.watch.saveMinute(minute: live.clock.now.wall / 60_000)
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
        await live.watch.maintain(hasNewHour: true, deletesExpired: true)
        #expect(try await rows() == before)
        live.clock.set(back: 400 * 86_400)
        await live.wait(20)
        await live.watch.maintain(hasNewHour: true, deletesExpired: true)
        #expect(try await rows() == before)
    }
}
