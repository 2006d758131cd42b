import Logging
import Monitor
import SQLite
import Testing

/// A disk that takes nothing: SQLite's own limit on its pages is as full as a disk is.
@Suite(.timeLimit(.minutes(5))) struct LedgerTests {
    private func opened(_ id: Int64, _ rig: NotifyingRig) -> IncidentChange {
        IncidentChange(.opened, anIncident(id), at: rig.now)
    }

    private static let route = [Route(channel: "hook", severities: [.sev2, .sev1])]

    /// Longer than a page has left, so that it does not fit.
    private func long(_ id: Int64, _ rig: NotifyingRig) -> IncidentChange {
        var change = opened(id, rig)
        change.incident.detail = String(repeating: "x", count: 20_000)
        return change
    }

    @Test func anAlarmGoesOutFromMemoryAndIsOnTheDiskLater() async throws {
        let rig = try NotifyingRig(routes: Self.route)
        try await rig.notifier.tell([opened(1, rig)])
        try await rig.store.fill()
        try await rig.delivering {
            try await rig.notifier.tell([long(2, rig)])
            #expect(rig.store.ledger.trouble?.contains("full") == true)
            try await rig.until { $0.isClear }
            let kept = await rig.store.ledger.returnToFile()
            #expect(!kept, "there is no room yet")
            try await rig.notifier.tell([long(3, rig)])
            try await rig.until { $0.isClear }
        }
        // In one message or in two, as the delivery wakes before or after the second.
        #expect(rig.network.requests.flatMap(\.words) == ["opened 1", "opened 2", "opened 3"])
        try await rig.store.makeRoom()
        let kept = await rig.store.ledger.returnToFile()
        #expect(kept)
        #expect(rig.store.ledger.trouble == nil)
        // Another run knows of them, tells nothing twice, and tells their end.
        let next = try NotifyingRig(routes: Self.route, in: rig.folder)
        try await next.delivering {
            try await next.notifier.tell([anIncident(2).becomes(.resolved, at: next.now / 1_000)])
            try await next.until { $0.isClear }
        }
        #expect(next.network.requests.map(\.words) == [["resolved 2"]])
    }

    /// Each row of each table that moves, there and back.
    @Test func whatMovesIsTheSameAfterwards() async throws {
        let rig = try NotifyingRig(
            hooks: ["hook", "dead"], routes: Self.route + [Route(channel: "dead", severities: [.sev2])])
        rig.network.answers { request, _ in WebAnswer(status: request.url.exposed.contains("dead") ? 500 : 200) }
        try await rig.delivering {
            for id in 1...5 as ClosedRange<Int64> { try await rig.notifier.tell([opened(id, rig)]) }
            try await rig.until { $0.isClear }
            try await rig.until("dead") { $0.state.attempts > 0 }
        }
        let before = try await Self.rows(rig.store.database)
        try await rig.store.fill()
        await #expect(throws: NothingWritten.self) {
            try await rig.store.ledger.write { db in
                try db.run(
                    "INSERT INTO incident VALUES (99, 'k', NULL, 1, 1, 1, NULL, ?)",
                    .text(String(repeating: "x", count: 9_000)))
                throw NothingWritten()
            }
        }
        _ = try await rig.store.ledger.write { db in
            try db.run("INSERT INTO silence VALUES (7, 8, ?)", .text(String(repeating: "x", count: 20_000)))
        }
        #expect(rig.store.ledger.trouble != nil)
        _ = try await rig.store.ledger.write { db in try db.run("DELETE FROM silence") }
        try await rig.store.makeRoom()
        let kept = await rig.store.ledger.returnToFile()
        #expect(kept)
        #expect(try await Self.rows(rig.store.database) == before)
    }

    private struct NothingWritten: Error {}

    private static func rows(_ database: Database) async throws -> [String] {
        try await database.read { db in
            try db.all("SELECT * FROM telling ORDER BY id") { "\($0.values)" }
                + db.all("SELECT * FROM heard ORDER BY line, incident") { "\($0.values)" }
                + db.all("SELECT * FROM told_cause ORDER BY line, cause") { "\($0.values)" }
                + db.all("SELECT * FROM line ORDER BY name") { "\($0.values)" }
                + db.all("SELECT * FROM escalation ORDER BY incident") { "\($0.values)" }
        }
    }

    /// Somebody else's lock is no full disk.
    @Test func aRefusalOfTheStatementIsNoReasonToMove() async throws {
        let rig = try NotifyingRig()
        await #expect(throws: SQLiteError.self) {
            try await rig.store.ledger.write { db in
                try db.run("INSERT INTO silence VALUES (1, 1, 'a')")
                try db.run("INSERT INTO silence VALUES (1, 1, 'b')")
            }
        }
        #expect(rig.store.ledger.trouble == nil)
    }
}
