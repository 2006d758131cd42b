import Fleet
import Foundation
import Testing

@Suite struct FleetHealthTests {
    private func statuses(
        _ node: String, isEvaluationPaused: Bool = false, incident: String = ""
    ) throws -> [String: MonitorStatus] {
        let text = """
            {"now":1000000,"evaluationPaused":\(isEvaluationPaused),"healthProblems":[],"timing":{"interval":30000,"sev2":65000,"sev1":125000},
            "nodes":[\(node)],"incidents":[\(incident)],"silences":[],"maintenanceWindows":[]}
            """
        return try JSONDecoder().decode(FleetReport.self, from: Data(text.utf8)).statuses
    }

    @Test(arguments: [
        (#""state":"up","lastBeat":990000"#, MonitorStatus.healthy),
        (#""state":"up","lastBeat":990000,"healthProblem":"disk full""#, .unhealthy("disk full")),
        (
            #""state":"up","lastBeat":1,"healthProblem":"a\n2026-11-21 n2 leaves\u001b[2J\u2028""#,
            .unhealthy("a\u{fffd}2026-11-21 n2 leaves\u{fffd}[2J\u{fffd}")
        ),
        (#""state":"late","lastBeat":950000"#, .unknown),
        (#""state":"silent","lastBeat":930000"#, .silent(70)),
        (#""state":"never""#, .neverSeen),
        (#""state":"stopped","lastBeat":990000"#, .unknown),
        (#""state":"stopped","lastBeat":900000"#, .silent(100)),
        (#""state":"maintenance","lastBeat":990000"#, .unknown),
        (#""state":"maintenance","lastBeat":900000"#, .silent(100)),
        (#""state":"a new one","lastBeat":1"#, .unknown),
    ])
    func nodeStatesAreMapped(_ state: String, _ expected: MonitorStatus) throws {
        let verdict = try statuses(#"{"name":"n1","skew":0,\#(state)}"#)["n1"]
        #expect(verdict == expected)
    }

    @Test(arguments: ["null", #""silence/3""#]) func anIsolatedMonitorReportsNoStatus(_ hider: String) throws {
        let incident = """
            {"id":1,"key":"fleet/cut-off","node":null,"rule":"cut-off","severity":"sev2","title":"The hub is cut off",
            "inhibitedBy":\(hider)}
            """
        #expect(try statuses(#"{"name":"n1","state":"silent","lastBeat":1}"#, incident: incident).isEmpty)
        #expect(try !statuses(#"{"name":"n1","state":"silent","lastBeat":1}"#).isEmpty)
    }

    @Test func aPausedEvaluationReportsNoStatus() throws {
        #expect(
            try statuses(#"{"name":"n1","skew":0,"state":"silent","lastBeat":1}"#, isEvaluationPaused: true).isEmpty)
    }
}
