import Monitor
import Testing
import Wire

/// Silences, maintenance windows, acknowledgements and flapping.
@Suite struct OperatorActionTests {
    @Test func maintenanceOpensNothingAndEndsAutomatically() {
        var fleet = EvaluatedFleet(["tokyo", "seoul"])
        fleet.changes += fleet.evaluator.add(
            MaintenanceWindow(id: 1, nodes: ["tokyo"], by: "soc", reason: "deploy", until: fleet.now.wall + 600_000),
            at: fleet.now)
        fleet.beat(["seoul"], for: 600)
        #expect(fleet.notified() == [])
        fleet.beat(["seoul"], for: 60)
        #expect(fleet.notified() == [])
        fleet.beat(["seoul"], for: 30)
        #expect(fleet.notified() == ["opened tokyo/silent sev2"])
        #expect(fleet.evaluator.maintenanceWindows.isEmpty)
    }

    @Test func maintenanceRepeatsNoNotification() {
        var fleet = EvaluatedFleet(["tokyo", "seoul"])
        fleet.beat(["seoul"], for: 90)
        #expect(fleet.notified() == ["opened tokyo/silent sev2"])
        fleet.changes += fleet.evaluator.add(
            MaintenanceWindow(id: 1, nodes: [], by: "soc", reason: "deploy", until: fleet.now.wall + 120_000),
            at: fleet.now)
        fleet.beat(["seoul"], for: 150)
        #expect(fleet.notified() == [])
        fleet.beat(["seoul"], for: 90)
        #expect(fleet.notified() == ["raised tokyo/silent sev1"])
        fleet.beat(["tokyo", "seoul"], for: 60)
        #expect(fleet.notified() == ["resolved tokyo/silent sev1"])
    }

    /// A clock that jumps briefly ends no maintenance window and no silence, and nothing is deleted for a day.
    @Test(arguments: [-400, -2, 2, 400] as [Int64]) func aClockThatJumpsEndsNothing(_ days: Int64) {
        var fleet = EvaluatedFleet(["tokyo", "seoul", "dubai"])
        let until = fleet.now.wall + 7_200_000
        fleet.changes += fleet.evaluator.add(
            MaintenanceWindow(id: 1, nodes: ["tokyo"], by: "soc", reason: "deploy", until: until), at: fleet.now)
        fleet.changes += fleet.evaluator.add(
            Silence(id: 1, node: "seoul", rule: nil, by: "soc", reason: "known", until: until), at: fleet.now)
        #expect(fleet.evaluator.isClockTrusted(at: fleet.now))
        fleet.now.wall += days * 86_400_000
        fleet.wait(20)
        #expect(!fleet.evaluator.isClockTrusted(at: fleet.now))
        fleet.now.wall -= days * 86_400_000
        fleet.beat(["tokyo", "seoul", "dubai"], for: 7_140)
        #expect(fleet.evaluator.maintenanceWindows.count == 1 && fleet.evaluator.silences.count == 1)
        fleet.beat(["tokyo", "seoul", "dubai"], for: 60)
        #expect(fleet.evaluator.maintenanceWindows.isEmpty && fleet.evaluator.silences.isEmpty)
        #expect(!fleet.evaluator.isClockTrusted(at: fleet.now))
        fleet.beat(["tokyo", "seoul", "dubai"], for: 86_400)
        #expect(fleet.evaluator.isClockTrusted(at: fleet.now))
    }

    @Test func aMonitorThatReturnsAfterDaysDeletesNothing() {
        var fleet = EvaluatedFleet()
        fleet.restart(after: 3_600)
        #expect(fleet.evaluator.isClockTrusted(at: fleet.now))
        fleet.restart(after: 3 * 86_400)
        #expect(!fleet.evaluator.isClockTrusted(at: fleet.now))
    }

    /// Maintenance that begins during an incident: no reminders or escalation until it ends.
    @Test func maintenanceInhibitsOpenIncidentsUntilItEnds() {
        let routes = [
            Route(channel: "chat", severities: [.sev2, .sev1], resend: 60),
            Route(channel: "boss", severities: [.sev2, .sev1], after: 200),
        ]
        var (fleet, escalation) = (EvaluatedFleet(["tokyo", "seoul"]), Escalation())
        var notified: [String] = []
        func pass(_ seconds: Int) {
            for _ in 0..<seconds / 10 {
                fleet.beat("seoul")
                fleet.wait(10)
                notified += escalation.apply(fleet.changes, routes: routes).map(\.description)
                notified += escalation.tick(fleet.now.wall, routes: routes).map(\.description)
                fleet.changes = []
            }
        }
        pass(150)
        #expect(notified == ["chat opened 1", "chat reminded 1"])
        notified = []
        fleet.changes += fleet.evaluator.add(
            MaintenanceWindow(id: 1, nodes: ["tokyo"], by: "soc", reason: "deploy", until: fleet.now.wall + 600_000),
            at: fleet.now)
        pass(590)
        #expect(notified == [])
        #expect(fleet.evaluator.incidents.open["tokyo/silent"]?.incident.inhibitedBy == "lease/1")
        pass(250)
        #expect(fleet.evaluator.incidents.open["tokyo/silent"]?.incident.inhibitedBy == nil)
        for line in ["chat raised 1", "chat reminded 1", "boss escalated 1"] { #expect(notified.contains(line)) }
    }

    @Test func maintenanceThatEndsEarlyResumesEvaluation() {
        var fleet = EvaluatedFleet(["tokyo"])
        fleet.changes += fleet.evaluator.add(
            MaintenanceWindow(id: 1, nodes: ["tokyo"], by: "soc", reason: "deploy", until: fleet.now.wall + 3_600_000),
            at: fleet.now)
        fleet.wait(300)
        fleet.changes += fleet.evaluator.removeMaintenanceWindow(1, at: fleet.now)
        fleet.wait(64)
        #expect(fleet.notified() == [])
        fleet.wait(1)
        #expect(fleet.notified() == ["opened tokyo/silent sev2"])
    }

    @Test func aSilencedNodeIsShownAndNotNotified() throws {
        var fleet = EvaluatedFleet(["tokyo"])
        fleet.changes += fleet.evaluator.add(
            Silence(
                id: 1, node: "tokyo", rule: nil, by: "soc", reason: "known", until: fleet.now.wall + 600_000),
            at: fleet.now)
        fleet.wait(300)
        #expect(fleet.notified() == [])
        #expect(fleet.evaluator.incidents.open["tokyo/silent"]?.incident.inhibitedBy == "silence/1")
        fleet.wait(300)
        #expect(fleet.notified() == ["opened tokyo/silent sev1"])
    }

    @Test func aHigherSeverityClearsTheAcknowledgement() throws {
        var fleet = EvaluatedFleet()
        fleet.wait(65)
        let id = try #require(fleet.evaluator.incidents.open["tokyo/silent"]?.incident.id)
        fleet.changes += try fleet.evaluator.acknowledge(id, by: "soc", note: "looking", at: fleet.now)
        #expect(fleet.notified() == ["opened tokyo/silent sev2", "acknowledged tokyo/silent sev2"])
        fleet.wait(235)
        #expect(fleet.evaluator.incidents.open["tokyo/silent"]?.incident.acknowledged == nil)
        #expect(throws: FleetEvaluator.ActionError.noSuchIncident) {
            _ = try fleet.evaluator.acknowledge(99, by: "soc", note: nil, at: fleet.now)
        }
    }

    @Test func flappingIsNotifiedOnce() {
        var fleet = EvaluatedFleet()
        for _ in 0..<8 {
            fleet.wait(70)
            fleet.beat(["tokyo"], for: 60)
        }
        let notified = fleet.notified()
        #expect(notified.count { $0.hasPrefix("opened tokyo/silent ") } == 4)
        #expect(notified.count { $0 == "opened tokyo/silent/flapping sev2" } == 1)
        fleet.beat(["tokyo"], for: 3_600)
        #expect(fleet.notified() == ["resolved tokyo/silent/flapping sev2"])
    }
}
