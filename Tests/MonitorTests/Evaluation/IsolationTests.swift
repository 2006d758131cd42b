import Monitor
import Testing
import Wire

/// Isolation of the monitor: most nodes silent at once.
@Suite struct IsolationTests {
    @Test func mostNodesSilentTogetherAreOneIncident() {
        let names = (1...16).map { "node\($0)" }
        var fleet = EvaluatedFleet(names)
        // Each node has its own phase; then the hub's network fails.
        for name in names {
            fleet.beat(name)
            fleet.wait(30.0 / 16)
        }
        fleet.wait(120)
        #expect(fleet.notified() == ["opened fleet/cut-off sev2"])
        #expect(fleet.evaluator.incidents.open.count == 17)
        fleet.wait(400)
        #expect(fleet.notified() == ["raised fleet/cut-off sev1"])
        fleet.beat(names, for: 90)
        #expect(fleet.notified() == ["resolved fleet/cut-off sev1"])
        #expect(fleet.evaluator.incidents.open.isEmpty)
    }

    /// An outage of one provider: nodes that are still heard prove that the monitor is not isolated.
    @Test(arguments: [(16, 13), (16, 14), (20, 15), (300, 280)]) func heardNodesProveThatTheMonitorIsNotIsolated(
        _ count: Int, _ dead: Int
    ) {
        let names = (1...count).map { "node\($0)" }
        var fleet = EvaluatedFleet(names)
        // Each node has its own phase.
        for _ in 0..<3 {
            for name in names {
                fleet.beat(name)
                fleet.wait(30 / Double(count))
            }
        }
        for _ in 0..<4 {
            for name in names.dropFirst(dead) {
                fleet.beat(name)
                fleet.wait(30 / Double(count - dead))
            }
        }
        #expect(Set(fleet.notified()) == Set(names.prefix(dead).map { "opened \($0)/silent sev2" }))
    }

    /// A node on the hub's own network is heard during an isolation.
    @Test func oneHeardNodeProvesNothing() {
        let names = (1...16).map { "node\($0)" }
        var fleet = EvaluatedFleet(names)
        fleet.beat(["node16"], for: 90)
        #expect(fleet.notified() == ["opened fleet/cut-off sev2"])
    }

    /// Most nodes recover: the isolation has ended, or there was none.
    @Test func isolationEndsWhenSeveralNodesAreHeardAgain() {
        let names = (1...16).map { "node\($0)" }
        var fleet = EvaluatedFleet(names)
        fleet.wait(120)
        #expect(fleet.notified() == ["opened fleet/cut-off sev2"])
        fleet.beat(["node1", "node2", "node3"], for: 60)
        #expect(fleet.notified() == ["resolved fleet/cut-off sev2"])
        fleet.beat(["node1", "node2", "node3"], for: 90)
        #expect(Set(fleet.notified()) == Set((4...16).map { "opened node\($0)/silent sev2" }))
    }

    struct Reading: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var probeResults: Bool?
        var title: String
        var message: String
    }

    @Test(arguments: [
        Reading(
            testDescription: "no probes", probeResults: nil, title: "The monitor is isolated, or all nodes are down",
            message: "4 of 4 nodes fell silent together. Check the hub's network first. dubai, seoul, tokyo, warsaw."),
        Reading(
            testDescription: "no response", probeResults: false,
            title: "The monitor is isolated, or all nodes are down",
            message: "Probed from the hub, none of 4 responds"),
        Reading(
            testDescription: "all respond", probeResults: true,
            title: "Nodes respond, but their heartbeats do not arrive",
            message: "Probed from the hub, 4 of 4 respond: check the hub's own port, name and certificate."),
    ]) func isolationListsNamesAndProbeResults(_ reading: Reading) throws {
        let names = ["tokyo", "seoul", "dubai", "warsaw"]
        var fleet = EvaluatedFleet(names)
        fleet.wait(10)
        #expect(fleet.evaluator.overdue(at: fleet.now) == names.sorted())
        if let probeResults = reading.probeResults {
            fleet.evaluator.note(
                probeResults: Dictionary(uniqueKeysWithValues: names.map { ($0, probeResults) }), at: fleet.now)
        }
        fleet.wait(30)
        let opened = try #require(fleet.changes.first { $0.incident.rule == "cut-off" })
        #expect(opened.incident.title == reading.title)
        #expect(opened.incident.detail.contains(reading.message), "\(opened.incident.detail)")
    }

    @Test func aSilentNodeThatRespondsIsReported() throws {
        var fleet = EvaluatedFleet(["tokyo", "seoul"])
        fleet.beat(["seoul"], for: 30)
        fleet.evaluator.note(probeResults: ["tokyo": true], at: fleet.now)
        fleet.beat(["seoul"], for: 30)
        let detail = try #require(fleet.changes.first).incident.detail
        #expect(detail.hasSuffix("Probed from the hub, it responds: check its pushes."), "\(detail)")
    }

    @Test func aNodeThatStaysSilentAfterIsolationIsNotified() {
        let names = (1...8).map { "node\($0)" }
        var fleet = EvaluatedFleet(names)
        fleet.wait(120)
        #expect(fleet.notified() == ["opened fleet/cut-off sev2"])
        fleet.beat(Array(names.dropLast()), for: 60)
        #expect(fleet.notified() == ["resolved fleet/cut-off sev2"])
        fleet.beat(Array(names.dropLast()), for: 90)
        #expect(fleet.notified() == ["opened node8/silent sev2"])
    }

    @Test func oneSilentNodeIsNotIsolation() {
        let names = ["tokyo", "seoul", "dubai"]
        var fleet = EvaluatedFleet(names)
        fleet.beat(["seoul", "dubai"], for: 90)
        #expect(fleet.notified() == ["opened tokyo/silent sev2"])
        fleet.beat(["dubai"], for: 90)
        #expect(fleet.notified() == ["opened seoul/silent sev2"])
    }
}
