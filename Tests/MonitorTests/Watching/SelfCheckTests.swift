import Monitor
import SQLite
import Testing

/// The monitor's own health checks.
@Suite struct SelfCheckTests {
    @Test func aHealthyMonitorReportsNothing() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        try await live.push()
        await live.wait(5)
        let check = SelfCheck(watch: live.watch, deliveries: { ["hook": DeliveryStatistics()] })
        #expect(await check.healthProblems() == [])
    }

    @Test func aStalledTickIsReported() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        live.clock.advance(31)
        #expect(live.watch.healthProblems == ["the evaluation loop is stalled"])
        await live.watch.tick()
        #expect(live.watch.healthProblems == [])
    }

    @Test func failedHeartbeatWritesAreReported() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        _ = try await live.store.database.write { db in try db.run("ALTER TABLE beat RENAME TO elsewhere") }
        await #expect(throws: (any Error).self) { try await live.push() }
        #expect(live.watch.healthProblems == ["heartbeats cannot be stored"])
        _ = try await live.store.database.write { db in try db.run("ALTER TABLE elsewhere RENAME TO beat") }
        try await live.push()
        #expect(live.watch.healthProblems == [])
    }

    @Test func failedIncidentWritesAreReported() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        try await live.push()
        live.notified.fails = true
        await live.wait(140)
        #expect(live.watch.healthProblems == ["incidents cannot be stored"])
        live.notified.fails = false
        await live.wait(1)
        #expect(live.watch.healthProblems == [])
    }

    @Test func aLastingEvaluationPauseIsReported() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        // The machine stalls for a while each minute.
        for _ in 0..<4 {
            live.clock.advance(11)
            await live.wait(49)
        }
        #expect(live.watch.healthProblems == [])
        for _ in 0..<2 {
            live.clock.advance(11)
            await live.wait(49)
        }
        #expect(
            live.watch.healthProblems == [
                "evaluation has been paused for minutes: its clock or its machine is unstable"
            ])
        await live.wait(70)
        #expect(live.watch.healthProblems == [])
    }

    @Test func aFailingChannelIsReported() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        var statistics = DeliveryStatistics()
        statistics.oldestWaiting = 599
        let early = SelfCheck(watch: live.watch, deliveries: { [statistics] in ["hook": statistics] })
        #expect(await early.healthProblems() == [])
        statistics.oldestWaiting = 601
        let late = SelfCheck(watch: live.watch, deliveries: { [statistics] in ["hook": statistics] })
        #expect(await late.healthProblems() == ["notifications have been waiting for more than 10 minutes"])
    }

    /// Operators are notified by other channels, also of the resolution.
    @Test func aFailingChannelIsAnIncident() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        var statistics = DeliveryStatistics()
        statistics.isRejecting = true
        (statistics.recipients, statistics.failingRecipients) = (3, 1)
        statistics.lastError = "mail: mail.example:587 did not accept x@example.org: 550 unknown"
        let check = SelfCheck(
            watch: live.watch, deliveries: { [statistics] in ["mail": statistics, "hook": DeliveryStatistics()] })
        #expect(await check.healthProblems() == ["a notification channel accepts nothing"])
        await check.report()
        await check.report()
        let incident = try #require(live.watch.fleet().incidents.first)
        #expect(live.watch.fleet().incidents.count == 1)
        #expect(incident.key == "monitor/channel/mail")
        #expect(incident.severity == .sev2)
        #expect(incident.detail.hasSuffix("550 unknown. Of 3 recipients, 1 receive nothing."))
        // Without statistics nothing is resolved.
        await SelfCheck(watch: live.watch, deliveries: { nil }).report()
        #expect(live.watch.fleet().incidents.count == 1)
        await SelfCheck(watch: live.watch, deliveries: { ["mail": DeliveryStatistics()] }).report()
        #expect(live.watch.fleet().incidents.isEmpty)
    }
}
