import Logging
import Monitor
import SQLite
import Testing

/// A full disk, simulated by SQLite's page limit.
@Suite(.timeLimit(.minutes(5))) struct AlertDatabaseTests {
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

    @Test func anAlarmIsSentFromMemoryAndStoredLater() async throws {
        let rig = try NotifyingRig(routes: Self.route)
        try await rig.notifier.notify([opened(1, rig)])
        try await rig.store.fill()
        try await rig.delivering {
            try await rig.notifier.notify([long(2, rig)])
            #expect(rig.store.alerts.fallbackReason?.contains("full") == true)
            try await rig.until { $0.isClear }
            let kept = await rig.store.alerts.returnToFile()
            #expect(!kept, "the disk is still full")
            try await rig.notifier.notify([long(3, rig)])
            try await rig.until { $0.isClear }
        }
        // In one or two messages, depending on when the delivery wakes.
        #expect(rig.network.requests.flatMap(\.words) == ["opened 1", "opened 2", "opened 3"])
        try await rig.store.makeRoom()
        let kept = await rig.store.alerts.returnToFile()
        #expect(kept)
        #expect(rig.store.alerts.fallbackReason == nil)
        // Another run knows them, repeats nothing, and notifies their resolution.
        let next = try NotifyingRig(routes: Self.route, in: rig.folder)
        try await next.delivering {
            try await next.notifier.notify([anIncident(2).becomes(.resolved, at: next.now / 1_000)])
            try await next.until { $0.isClear }
        }
        #expect(next.network.requests.map(\.words) == [["resolved 2"]])
    }

    /// Copies each row of each table back and forth.
    @Test func copiedRowsAreUnchanged() async throws {
        let rig = try NotifyingRig(
            hooks: ["hook", "dead"], routes: Self.route + [Route(channel: "dead", severities: [.sev2])])
        rig.network.probeResults { request, _ in WebResponse(status: request.url.exposed.contains("dead") ? 500 : 200) }
        try await rig.delivering {
            for id in 1...5 as ClosedRange<Int64> { try await rig.notifier.notify([opened(id, rig)]) }
            try await rig.until { $0.isClear }
            try await rig.until("dead") { $0.state.attempts > 0 }
        }
        let before = try await Self.rows(rig.store.database)
        try await rig.store.fill()
        await #expect(throws: NothingWritten.self) {
            try await rig.store.alerts.write { db in
                try db.run(
                    "INSERT INTO incident VALUES (99, 'k', NULL, 1, 1, 1, NULL, ?)",
                    .text(String(repeating: "x", count: 9_000)))
                throw NothingWritten()
            }
        }
        _ = try await rig.store.alerts.write { db in
            try db.run("INSERT INTO silence VALUES (7, 8, ?)", .text(String(repeating: "x", count: 20_000)))
        }
        #expect(rig.store.alerts.fallbackReason != nil)
        _ = try await rig.store.alerts.write { db in try db.run("DELETE FROM silence") }
        try await rig.store.makeRoom()
        let kept = await rig.store.alerts.returnToFile()
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

    /// A lock is not a full disk.
    @Test func aStatementErrorDoesNotCauseFailover() async throws {
        let rig = try NotifyingRig()
        await #expect(throws: SQLiteError.self) {
            try await rig.store.alerts.write { db in
                try db.run("INSERT INTO silence VALUES (1, 1, 'a')")
                try db.run("INSERT INTO silence VALUES (1, 1, 'b')")
            }
        }
        #expect(rig.store.alerts.fallbackReason == nil)
    }
}
