import Monitor
import SQLite
import Testing

/// The monitor's word on itself.
@Suite struct SelfCheckTests {
    @Test func aWellOneHasNothingToSay() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        try await live.push()
        await live.wait(5)
        let check = SelfCheck(watch: live.watch, deliveries: { ["hook": DeliveryFigures()] })
        #expect(await check.ills() == [])
    }

    @Test func aLookThatHangsIsSeen() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        live.clock.advance(31)
        #expect(live.watch.ills == ["the time is not looked at"])
        await live.watch.look()
        #expect(live.watch.ills == [])
    }

    @Test func beatsThatCannotBeWrittenAreSeen() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        _ = try await live.store.database.write { db in try db.run("ALTER TABLE beat RENAME TO elsewhere") }
        await #expect(throws: (any Error).self) { try await live.push() }
        #expect(live.watch.ills == ["beats cannot be written down"])
        _ = try await live.store.database.write { db in try db.run("ALTER TABLE elsewhere RENAME TO beat") }
        try await live.push()
        #expect(live.watch.ills == [])
    }

    @Test func incidentsThatCannotBeWrittenAreSeen() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        try await live.push()
        live.told.fails = true
        await live.wait(140)
        #expect(live.watch.ills == ["incidents cannot be written down"])
        live.told.fails = false
        await live.wait(1)
        #expect(live.watch.ills == [])
    }

    @Test func aDoubtThatDoesNotEndIsSeen() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        // Each minute the machine stands still for a while.
        for _ in 0..<4 {
            live.clock.advance(11)
            await live.wait(49)
        }
        #expect(live.watch.ills == [])
        for _ in 0..<2 {
            live.clock.advance(11)
            await live.wait(49)
        }
        #expect(live.watch.ills == ["its clock or its machine has not let it judge anybody for minutes"])
        await live.wait(70)
        #expect(live.watch.ills == [])
    }

    @Test func aChannelThatTakesNothingIsSeen() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        var figures = DeliveryFigures()
        figures.oldestWaiting = 599
        let early = SelfCheck(watch: live.watch, deliveries: { [figures] in ["hook": figures] })
        #expect(await early.ills() == [])
        figures.oldestWaiting = 601
        let late = SelfCheck(watch: live.watch, deliveries: { [figures] in ["hook": figures] })
        #expect(await late.ills() == ["notifications wait for more than 10 minutes"])
    }

    /// Its operators are told by the other channels, and of its end.
    @Test func aChannelThatTakesNothingIsAnIncident() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        var figures = DeliveryFigures()
        figures.isRefusing = true
        (figures.lines, figures.failingLines) = (3, 1)
        figures.lastError = "mail: mail.example:587 did not take x@example.org: 550 unknown"
        let check = SelfCheck(
            watch: live.watch, deliveries: { [figures] in ["mail": figures, "hook": DeliveryFigures()] })
        #expect(await check.ills() == ["a notification channel takes nothing"])
        await check.report()
        await check.report()
        let incident = try #require(live.watch.fleet().incidents.first)
        #expect(live.watch.fleet().incidents.count == 1)
        #expect(incident.key == "monitor/channel/mail")
        #expect(incident.severity == .sev2)
        #expect(incident.detail.hasSuffix("550 unknown. Of 3 recipients 1 get nothing."))
        // Nothing is known, so nothing is over.
        await SelfCheck(watch: live.watch, deliveries: { nil }).report()
        #expect(live.watch.fleet().incidents.count == 1)
        await SelfCheck(watch: live.watch, deliveries: { ["mail": DeliveryFigures()] }).report()
        #expect(live.watch.fleet().incidents.isEmpty)
    }
}
