import Foundation
import Monitor
import SQLite
import Testing
import Wire

/// Maintenance plans, once or weekly, by local time.
@Suite(.timeLimit(.minutes(2))) struct PlanningTests {
    /// Friday, 15 January 2027, 08:00 UTC.
    static let start: Int64 = 1_800_000_000_000

    private func plan(
        _ start: String, zone: String = "UTC", isWeekly: Bool = false, minutes: Int64 = 60, nodes: [String] = ["tokyo"]
    ) -> MaintenancePlan {
        MaintenancePlan(
            id: 0, nodes: nodes, by: "soc", reason: "new disks", start: start, zone: zone, isWeekly: isWeekly,
            duration: minutes * 60_000)
    }

    struct Next: CustomTestStringConvertible {
        var testDescription: String
        var start: String
        var zone = "UTC"
        var isWeekly = false
        /// Seconds from the test's start; nil where the plan is rejected as over.
        var seconds: Int64?
    }

    @Test(arguments: [
        Next(testDescription: "in an hour", start: "2027-01-15T09:00", seconds: 3_600),
        Next(testDescription: "now", start: "2027-01-15T08:00", seconds: 0),
        Next(testDescription: "half passed", start: "2027-01-15T07:30", seconds: -1_800),
        Next(testDescription: "expired", start: "2027-01-15T07:00", seconds: nil),
        Next(testDescription: "in Tokyo", start: "2027-01-15T18:00", zone: "Asia/Tokyo", seconds: 3_600),
        Next(testDescription: "each Friday", start: "2027-01-01T09:00", isWeekly: true, seconds: 3_600),
        Next(
            testDescription: "each Friday, over", start: "2027-01-15T07:00", isWeekly: true,
            seconds: 6 * 86_400 + 82_800),
        Next(testDescription: "outdated", start: "2000-01-07T09:00", isWeekly: true, seconds: 3_600),
        // Fridays at 9 in Berlin: 8 by UTC in winter.
        Next(
            testDescription: "started in summer", start: "2026-07-03T09:00", zone: "Europe/Berlin", isWeekly: true,
            seconds: 0),
    ]) func plansStartOnTime(_ example: Next) async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        let plan = plan(example.start, zone: example.zone, isWeekly: example.isWeekly)
        guard let seconds = example.seconds else {
            await #expect(throws: Watch.PlanError.over) { try await live.watch.add(plan) }
            return
        }
        let next = try await live.watch.add(plan).next
        #expect(next == Self.start + seconds * 1_000)
    }

    @Test(arguments: [
        "", "2027-01-16", "2027-02-29T09:00", "2027-13-01T09:00", "2027-01-16T24:00", "2027-01-16T09:60",
        "2027-01-16 09:00", "2027-01-16T09:00:00", "2027-01-16T9:00", "0027-01-16T09:00", "2027-01-16T-9:00",
    ]) func anInvalidStartIsRejected(_ start: String) async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        await #expect(throws: Watch.PlanError.malformedStart) { try await live.watch.add(plan(start)) }
        #expect(live.watch.fleet().plans.isEmpty)
    }

    @Test func weeklyPlansMustNotOverlap() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        await #expect(throws: Watch.PlanError.overlapsItself) {
            try await live.watch.add(plan("2027-01-16T09:00", isWeekly: true, minutes: 7 * 24 * 60))
        }
    }

    /// A node that is silent from before the maintenance until its end.
    private func beatUntil(_ live: LiveWatch, seconds: Int) async throws {
        for _ in 0..<(seconds / 30) {
            try await live.push()
            await live.wait(30)
        }
    }

    @Test func nothingIsNotifiedDuringMaintenance() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        _ = try await live.watch.add(plan("2027-01-15T08:10", minutes: 30))
        try await beatUntil(live, seconds: 590)
        // Silent from ten seconds before the start, and throughout.
        await live.wait(600)
        #expect(live.watch.fleet().maintenanceWindows.map(\.until) == [Self.start + 2_400_000])
        #expect(live.watch.fleet().maintenanceWindows.map(\.reason) == ["new disks"])
        #expect(live.watch.fleet().plans.isEmpty, "a plan that does not repeat is deleted when it starts")
        #expect(live.notified.lines == [])
        await live.wait(1_300)
        #expect(live.watch.fleet().maintenanceWindows.isEmpty)
        await live.wait(70)
        #expect(live.notified.lines == ["opened tokyo/silent sev2"])
    }

    @Test func aWeeklyPlanStartsOncePerWeek() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        _ = try await live.watch.add(plan("2027-01-15T09:00", isWeekly: true, minutes: 5))
        var begun: Set<Int64> = []
        for _ in 0..<(22 * 24 * 6) {
            live.clock.advance(100)
            await live.watch.tick()
            live.clock.advance(500)
            await live.watch.tick()
            begun.formUnion(live.watch.fleet().maintenanceWindows.map(\.until))
        }
        let first = Self.start + 3_600_000 + 300_000
        #expect(begun.sorted() == (0..<4).map { first + $0 * 7 * 86_400_000 })
        #expect(live.watch.fleet().plans.map(\.next) == [first - 300_000 + 28 * 86_400_000])
    }

    /// Ended early, it does not start again, also after a restart.
    @Test func maintenanceEndedEarlyStaysEnded() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        let view = try await live.watch.add(plan("2027-01-15T08:05", isWeekly: true))
        await live.wait(400)
        let window = try #require(live.watch.fleet().maintenanceWindows.first)
        try await live.watch.endMaintenance(window.id)
        await live.wait(10)
        #expect(live.watch.fleet().maintenanceWindows.isEmpty)
        let next = try await live.again()
        await next.wait(100)
        #expect(next.watch.fleet().maintenanceWindows.isEmpty)
        #expect(next.watch.fleet().plans.map(\.plan.id) == [view.plan.id])
        try await next.watch.removePlan(view.plan.id)
        #expect(try await live.again().watch.fleet().plans.isEmpty)
    }

    @Test func aMissedStartIsCaughtUpAndEndsOnTime() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        _ = try await live.watch.add(plan("2027-01-15T08:10", minutes: 60))
        _ = try await live.watch.add(plan("2027-01-15T08:05", minutes: 5))
        live.clock.advance(1_200)
        let next = try await live.again()
        await next.wait(60)
        #expect(next.watch.fleet().maintenanceWindows.map(\.until) == [Self.start + 4_200_000])
        #expect(next.watch.fleet().plans.isEmpty)
        let rows = try await next.store.database.read { db in try db.first("SELECT count(*) FROM plan") { $0.int(0) } }
        #expect(rows == 0, "a skipped plan is not kept")
    }

    /// Maintenance does not start while the clock has just jumped.
    @Test func aClockThatJumpsStartsNothing() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        _ = try await live.watch.add(plan("2027-01-22T08:00", minutes: 24 * 60))
        try await beatUntil(live, seconds: 120)
        live.clock.set(back: -7 * 86_400)
        await live.wait(20)
        #expect(live.watch.fleet().maintenanceWindows.isEmpty)
        live.clock.set(back: 7 * 86_400)
        await live.wait(700)
        #expect(live.watch.fleet().maintenanceWindows.isEmpty)
        #expect(live.watch.fleet().plans.count == 1)
    }

    /// Without the tz database the plan is kept and reported.
    @Test func anUnknownZoneKeepsThePlan() async throws {
        let live = try await LiveWatch()
        defer { live.remove() }
        _ = try await live.watch.add(plan("2027-01-15T18:00", zone: "Asia/Tokyo"))
        let without = try await live.again(zones: TimeZoneDatabase(directories: []))
        #expect(without.watch.fleet().plans.map(\.next) == [nil])
        #expect(without.watch.healthProblems.contains { $0.contains("time zone") })
        await without.wait(4_000)
        #expect(without.watch.fleet().maintenanceWindows.isEmpty)
        let with = try await live.again()
        await with.wait(60)
        #expect(with.watch.fleet().maintenanceWindows.count == 1)
    }

    /// Two nodes that exchange names keep their plans.
    @Test func namesMayBeExchanged() async throws {
        let live = try await LiveWatch(["tokyo", "seoul"])
        defer { live.remove() }
        try await live.watch.reloadNodes()
        _ = try await live.watch.add(plan("2027-01-15T09:00", nodes: ["tokyo"]))
        let silence = try await live.watch.silence(
            node: "seoul", rule: nil, by: "soc", reason: "noisy", for: 86_400_000)
        let window = try await live.watch.beginMaintenance(nodes: ["tokyo"], by: "soc", reason: "now", for: 86_400_000)
        for _ in 0..<4 {
            try await live.push("tokyo")
            try await live.push("seoul")
            await live.wait(30)
        }
        await live.watch.saveMinute(minute: live.clock.now.wall / 60_000)
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
            #expect(
                fleet.maintenanceWindows.map(\.id) == [window.id]
                    && fleet.maintenanceWindows.map(\.nodes) == [["seoul"]])
        }
    }
}
