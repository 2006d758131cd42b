import Foundation
import Monitor
import SQLite
import Testing
import Wire

/// Work that begins by itself, once or each week, by the clocks of a place.
@Suite(.timeLimit(.minutes(2))) struct PlanningTests {
    /// Friday, 15 January 2027, 08:00 UTC.
    static let start: Int64 = 1_800_000_000_000

    private func plan(
        _ start: String, zone: String = "UTC", isWeekly: Bool = false, minutes: Int64 = 60, nodes: [String] = ["tokyo"]
    ) -> Plan {
        Plan(
            id: 0, nodes: nodes, by: "soc", reason: "new disks", start: start, zone: zone, isWeekly: isWeekly,
            span: minutes * 60_000)
    }

    struct Next: CustomTestStringConvertible {
        var testDescription: String
        var start: String
        var zone = "UTC"
        var isWeekly = false
        /// From the test's beginning, in seconds; nil where it is refused as over.
        var seconds: Int64?
    }

    @Test(arguments: [
        Next(testDescription: "in an hour", start: "2027-01-15T09:00", seconds: 3_600),
        Next(testDescription: "now", start: "2027-01-15T08:00", seconds: 0),
        Next(testDescription: "half over", start: "2027-01-15T07:30", seconds: -1_800),
        Next(testDescription: "over", start: "2027-01-15T07:00", seconds: nil),
        Next(testDescription: "in Tokyo", start: "2027-01-15T18:00", zone: "Asia/Tokyo", seconds: 3_600),
        Next(testDescription: "each Friday", start: "2027-01-01T09:00", isWeekly: true, seconds: 3_600),
        Next(
            testDescription: "each Friday, over", start: "2027-01-15T07:00", isWeekly: true,
            seconds: 6 * 86_400 + 82_800),
        Next(testDescription: "since long ago", start: "2000-01-07T09:00", isWeekly: true, seconds: 3_600),
        // Fridays at 9 in Berlin: 8 by UTC in winter.
        Next(
            testDescription: "begun in summer", start: "2026-07-03T09:00", zone: "Europe/Berlin", isWeekly: true,
            seconds: 0),
    ]) func beginsWhenItShould(_ example: Next) async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        let plan = plan(example.start, zone: example.zone, isWeekly: example.isWeekly)
        guard let seconds = example.seconds else {
            await #expect(throws: Watch.PlanRefusal.over) { try await live.watch.add(plan) }
            return
        }
        let next = try await live.watch.add(plan).next
        #expect(next == Self.start + seconds * 1_000)
    }

    @Test(arguments: [
        "", "2027-01-16", "2027-02-29T09:00", "2027-13-01T09:00", "2027-01-16T24:00", "2027-01-16T09:60",
        "2027-01-16 09:00", "2027-01-16T09:00:00", "2027-01-16T9:00", "0027-01-16T09:00", "2027-01-16T-9:00",
    ]) func whatIsNoTimeIsRefused(_ start: String) async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        await #expect(throws: Watch.PlanRefusal.malformedStart) { try await live.watch.add(plan(start)) }
        #expect(live.watch.fleet().plans.isEmpty)
    }

    @Test func workOfEachWeekDoesNotOverlapItself() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        await #expect(throws: Watch.PlanRefusal.overlapsItself) {
            try await live.watch.add(plan("2027-01-16T09:00", isWeekly: true, minutes: 7 * 24 * 60))
        }
    }

    /// A node that is silent from before it begins until it is over.
    private func beatUntil(_ live: LiveWatch, seconds: Int) async throws {
        for _ in 0..<(seconds / 30) {
            try await live.push()
            await live.wait(30)
        }
    }

    @Test func nobodyIsToldWhileItLasts() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        _ = try await live.watch.add(plan("2027-01-15T08:10", minutes: 30))
        try await beatUntil(live, seconds: 590)
        // Silent from ten seconds before it begins, and for all of it.
        await live.wait(600)
        #expect(live.watch.fleet().leases.map(\.until) == [Self.start + 2_400_000])
        #expect(live.watch.fleet().leases.map(\.reason) == ["new disks"])
        #expect(live.watch.fleet().plans.isEmpty, "what comes once is over when it has begun")
        #expect(live.told.lines == [])
        await live.wait(1_300)
        #expect(live.watch.fleet().leases.isEmpty)
        await live.wait(70)
        #expect(live.told.lines == ["opened tokyo/silent sev2"])
    }

    @Test func itComesAgainEachWeekAndOnceEach() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        _ = try await live.watch.add(plan("2027-01-15T09:00", isWeekly: true, minutes: 5))
        var begun: Set<Int64> = []
        for _ in 0..<(22 * 24 * 6) {
            live.clock.advance(100)
            await live.watch.look()
            live.clock.advance(500)
            await live.watch.look()
            begun.formUnion(live.watch.fleet().leases.map(\.until))
        }
        let first = Self.start + 3_600_000 + 300_000
        #expect(begun.sorted() == (0..<4).map { first + $0 * 7 * 86_400_000 })
        #expect(live.watch.fleet().plans.map(\.next) == [first - 300_000 + 28 * 86_400_000])
    }

    /// Ended early by somebody, it does not begin anew; a restart changes nothing of that.
    @Test func whatWasEndedEarlyStaysEnded() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        let view = try await live.watch.add(plan("2027-01-15T08:05", isWeekly: true))
        await live.wait(400)
        let lease = try #require(live.watch.fleet().leases.first)
        try await live.watch.endMaintenance(lease.id)
        await live.wait(10)
        #expect(live.watch.fleet().leases.isEmpty)
        let next = try await live.again()
        await next.wait(100)
        #expect(next.watch.fleet().leases.isEmpty)
        #expect(next.watch.fleet().plans.map(\.plan.id) == [view.plan.id])
        try await next.watch.removePlan(view.plan.id)
        #expect(try await live.again().watch.fleet().plans.isEmpty)
    }

    @Test func whatBeganWhileTheMonitorWasAwayBeginsLateAndEndsInTime() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        _ = try await live.watch.add(plan("2027-01-15T08:10", minutes: 60))
        _ = try await live.watch.add(plan("2027-01-15T08:05", minutes: 5))
        live.clock.advance(1_200)
        let next = try await live.again()
        await next.wait(60)
        #expect(next.watch.fleet().leases.map(\.until) == [Self.start + 4_200_000])
        #expect(next.watch.fleet().plans.isEmpty)
        let rows = try await next.store.database.read { db in try db.first("SELECT count(*) FROM plan") { $0.int(0) } }
        #expect(rows == 0, "what was passed over is not kept")
    }

    /// What hides alarms begins by no clock that has just jumped.
    @Test func aClockThatJumpsBeginsNothing() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        _ = try await live.watch.add(plan("2027-01-22T08:00", minutes: 24 * 60))
        try await beatUntil(live, seconds: 120)
        live.clock.set(back: -7 * 86_400)
        await live.wait(20)
        #expect(live.watch.fleet().leases.isEmpty)
        live.clock.set(back: 7 * 86_400)
        await live.wait(700)
        #expect(live.watch.fleet().leases.isEmpty)
        #expect(live.watch.fleet().plans.count == 1)
    }

    /// A machine whose tz database is gone keeps the plan, and says so.
    @Test func aZoneThatIsGoneKeepsThePlan() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        _ = try await live.watch.add(plan("2027-01-15T18:00", zone: "Asia/Tokyo"))
        let without = try await live.again(zones: ZoneDirectory(folders: []))
        #expect(without.watch.fleet().plans.map(\.next) == [nil])
        #expect(without.watch.ills.contains { $0.contains("time zone") })
        await without.wait(4_000)
        #expect(without.watch.fleet().leases.isEmpty)
        let with = try await live.again()
        await with.wait(60)
        #expect(with.watch.fleet().leases.count == 1)
    }

    /// Two nodes that get each other's name, with what was planned for them.
    @Test func namesMayBeExchanged() async throws {
        let live = try await LiveWatch(["tokyo", "seoul"])
        defer { live.remove() }
        try await live.watch.reloadNodes()
        _ = try await live.watch.add(plan("2027-01-15T09:00", nodes: ["tokyo"]))
        let silence = try await live.watch.silence(
            node: "seoul", rule: nil, by: "soc", reason: "noisy", for: 86_400_000)
        let lease = try await live.watch.maintain(nodes: ["tokyo"], by: "soc", reason: "now", for: 86_400_000)
        for _ in 0..<4 {
            try await live.push("tokyo")
            try await live.push("seoul")
            await live.wait(30)
        }
        await live.watch.keepMinute(minute: live.clock.now.wall / 60_000)
        try await live.store.renameNode("tokyo", to: "rest")
        try await live.store.renameNode("seoul", to: "tokyo")
        try await live.store.renameNode("rest", to: "seoul")
        try await live.watch.reloadNodes()
        for fleet in [live.watch.fleet(), try await live.again().watch.fleet()] {
            let nodes = Dictionary(uniqueKeysWithValues: fleet.nodes.map { ($0.name, $0) })
            #expect(nodes.keys.sorted() == ["seoul", "tokyo"])
            #expect(nodes["seoul"]?.body?.node == "tokyo" && nodes["tokyo"]?.body?.node == "seoul")
            #expect(fleet.plans.map(\.plan.nodes) == [["seoul"]])
            #expect(fleet.silences.map(\.id) == [silence.id] && fleet.silences.map(\.node) == ["tokyo"])
            #expect(fleet.leases.map(\.id) == [lease.id] && fleet.leases.map(\.nodes) == [["seoul"]])
        }
    }
}
