import Monitor
import Testing
import Wire

/// The monitor's own restarts, stalls and clock changes, which open no incidents for nodes.
@Suite struct MonitorOutageTests {
    @Test func endingOneOfTwoMaintenanceWindowsLeavesTheOther() {
        var fleet = EvaluatedFleet()
        for (id, seconds) in [(1, 1_800), (2, 60)] as [(Int64, Int64)] {
            fleet.changes += fleet.evaluator.add(
                MaintenanceWindow(
                    id: id, nodes: ["tokyo"], by: "soc", reason: "work", until: fleet.now.wall + seconds * 1_000),
                at: fleet.now)
        }
        fleet.changes += fleet.evaluator.removeMaintenanceWindow(1, at: fleet.now)
        fleet.wait(61)
        #expect(fleet.notified() == [])
        fleet.wait(65)
        #expect(fleet.notified() == ["opened tokyo/silent sev2"])
    }

    @Test func theEndOfOneSilenceLeavesAnother() {
        var fleet = EvaluatedFleet()
        for (id, seconds) in [(1, 60), (2, 600)] as [(Int64, Int64)] {
            fleet.changes += fleet.evaluator.add(
                Silence(
                    id: id, node: "tokyo", rule: nil, by: "soc", reason: "known",
                    until: fleet.now.wall + seconds * 1_000), at: fleet.now)
        }
        fleet.wait(400)
        #expect(fleet.notified() == [])
        fleet.wait(250)
        #expect(fleet.notified() == ["opened tokyo/silent sev1"])
    }

    /// The isolation does not cover nodes heard after its beginning.
    @Test func aNodeThatFallsSilentDuringIsolationIsNotified() {
        let names = ["a", "b", "c", "d"]
        var fleet = EvaluatedFleet(names)
        fleet.beat(["d"], for: 90)
        #expect(fleet.notified() == ["opened fleet/cut-off sev2"])
        fleet.beat(["d"], for: 300)
        #expect(fleet.notified() == ["raised fleet/cut-off sev1"])
        fleet.wait(70)
        #expect(fleet.notified() == ["opened d/silent sev2"])
        for name in ["a", "b", "c"] { fleet.changes += fleet.evaluator.remove(name, at: fleet.now) }
        #expect(fleet.evaluator.incidents.open["fleet/cut-off"] == nil, "the isolation has no nodes left")
    }

    @Test(arguments: [0, 5, 3_600] as [Int64]) func aRestartOpensNothingBeforeAFullWindow(_ seconds: Int64) {
        var fleet = EvaluatedFleet()
        fleet.restart(after: seconds)
        fleet.wait(64.9)
        #expect(fleet.notified() == [])
        fleet.wait(0.1)
        #expect(fleet.notified() == ["opened tokyo/silent sev2"])
    }

    @Test func aRestartRepeatsNothingAndLosesNothing() {
        var fleet = EvaluatedFleet(["tokyo", "seoul"])
        fleet.beat(["seoul"], for: 90)
        #expect(fleet.notified() == ["opened tokyo/silent sev2"])
        // The node was silent before, and gets a window in which it may be heard.
        fleet.restart(after: 600)
        fleet.beat(["seoul"], for: 60)
        #expect(fleet.notified() == [])
        fleet.beat(["seoul"], for: 30)
        #expect(fleet.notified() == ["raised tokyo/silent sev1"])
        fleet.restart()
        fleet.beat(["tokyo", "seoul"], for: 60)
        #expect(fleet.notified() == ["resolved tokyo/silent sev1"])
    }

    @Test func aStallOfTheMonitorOpensNothing() {
        var fleet = EvaluatedFleet(["tokyo", "seoul", "dubai"])
        fleet.sleep(400)
        fleet.beat(["tokyo", "seoul", "dubai"], for: 300)
        #expect(fleet.notified() == [])
    }

    @Test(arguments: [-86_400, 86_400] as [Int64]) func aStepOfTheHubsClockOpensNothing(_ seconds: Int64) {
        var fleet = EvaluatedFleet(["tokyo", "seoul", "dubai"])
        fleet.now.wall += seconds * 1_000
        let wrong = fleet.now.wall - seconds * 1_000
        for _ in 0..<2 {
            for name in ["tokyo", "seoul", "dubai"] { fleet.beat(name) { $0.ts = wrong / 1_000 } }
            fleet.wait(30)
        }
        fleet.now.wall -= seconds * 1_000
        fleet.beat(["tokyo", "seoul", "dubai"], for: 300)
        #expect(fleet.notified() == [])
    }

    @Test func aHubWhoseClockStaysWrongIsOneIncident() {
        let names = ["tokyo", "seoul", "dubai", "warsaw"]
        var fleet = EvaluatedFleet(names)
        fleet.now.wall += 3_600_000
        fleet.beat(names, for: 600) { $0.ts -= 3_600 }
        #expect(fleet.notified() == ["opened monitor/clock sev2"])
        fleet.now.wall -= 3_600_000
        fleet.beat(names, for: 600)
        #expect(fleet.notified() == ["resolved monitor/clock sev2"])
    }
}
