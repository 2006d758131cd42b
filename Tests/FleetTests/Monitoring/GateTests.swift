import Testing
import Wire

@testable import Fleet

@Suite struct GateTests {
    struct Case {
        var gate = Gate(version: "2.0", errorRatioBefore: 0.01, beatAfter: 100)
        var state = NodeState(.pending, current: "/new")
        var health = NodeHealth.ready(version: "2.0")
        var report = FleetReport.Node(
            name: "tokyo", state: "maintenance", lastBeat: 101,
            body: Heartbeat(
                node: "tokyo", ts: 1, ramMB: 1, ramPct: 1, diskMB: 1, diskPct: 1, cpuPct: 1, dbSizeMB: 1,
                dbIntegrity: "ok", activeSessions: 0, req1h: 100, err1h: 50, certDaysRemaining: 1, nixGen: 1, uptimeS: 1
            ))

        init() {
            report.body?.version = "2.0"
            report.body?.err5xx1h = 2
        }

        var missing: String? { gate.missing(state, health, report) }
    }

    @Test func whatIsWellMayStay() {
        #expect(Case().missing == nil)
    }

    struct Fault: CustomTestStringConvertible, Sendable {
        let word: String
        let plant: @Sendable (inout Case) -> Void

        var testDescription: String { word }
    }

    static let faults = [
        Fault(word: "its unit is failed") { $0.state.unit = "failed" },
        Fault(word: "no route") { $0.health = .notReady("no route") },
        Fault(word: "tells version 1.9") { $0.health = .ready(version: "1.9") },
        Fault(word: "does not tell its version") { $0.health = .ready(version: nil) },
        Fault(word: "no heartbeat") { $0.report.lastBeat = 100 },
        Fault(word: "no heartbeat") { $0.report.lastBeat = nil },
        Fault(word: "heartbeat tells version 1.9") { $0.report.body?.version = "1.9" },
        Fault(word: "malformed page") { $0.report.body?.dbIntegrity = "malformed page" },
        Fault(word: "of its answers 7 % fail, before it were 1 %") { $0.report.body?.err5xx1h = 7 },
    ]

    @Test(arguments: faults)
    func everythingElseMayNot(_ fault: Fault) throws {
        var planted = Case()
        fault.plant(&planted)
        let missing = try #require(planted.missing)
        #expect(missing.contains(fault.word), "\(missing)")
    }

    @Test func fewRequestsProveNothing() {
        var planted = Case()
        planted.report.body?.req1h = 19
        planted.report.body?.err5xx1h = 19
        #expect(planted.missing == nil)
    }

    @Test func withoutAMonitorOnlyTheNodeIsAsked() {
        var planted = Case()
        planted.gate = Gate(version: nil, errorRatioBefore: nil, beatAfter: nil)
        planted.report.lastBeat = nil
        planted.health = .ready(version: "9")
        #expect(planted.missing == nil)
    }
}
