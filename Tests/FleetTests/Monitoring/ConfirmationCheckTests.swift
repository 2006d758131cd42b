import Fleet
import Testing
import Wire

@Suite struct ConfirmationCheckTests {
    struct Case {
        var check = ConfirmationCheck(version: "2.0", errorRatioBefore: 0.01, heartbeatAfter: 100)
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

        var failure: String? { check.failure(state, health, report) }
    }

    @Test func aHealthyNodeIsConfirmed() {
        #expect(Case().failure == nil)
    }

    struct Fault: CustomTestStringConvertible, Sendable {
        let word: String
        let plant: @Sendable (inout Case) -> Void

        var testDescription: String { word }
    }

    static let faults = [
        Fault(word: "its unit is failed") { $0.state.unit = "failed" },
        Fault(word: "no route") { $0.health = .notReady("no route") },
        Fault(word: "reports version 1.9") { $0.health = .ready(version: "1.9") },
        Fault(word: "does not report its version") { $0.health = .ready(version: nil) },
        Fault(word: "no heartbeat") { $0.report.lastBeat = 100 },
        Fault(word: "no heartbeat") { $0.report.lastBeat = nil },
        Fault(word: "heartbeat reports version 1.9") { $0.report.body?.version = "1.9" },
        Fault(word: "malformed page") { $0.report.body?.dbIntegrity = "malformed page" },
        Fault(word: "its error ratio is 7 %, and was 1 % before") { $0.report.body?.err5xx1h = 7 },
    ]

    @Test(arguments: faults)
    func anUnhealthyNodeIsNotConfirmed(_ fault: Fault) throws {
        var planted = Case()
        fault.plant(&planted)
        let missing = try #require(planted.failure)
        #expect(missing.contains(fault.word), "\(missing)")
    }

    @Test func fewRequestsAreNotEvaluated() {
        var planted = Case()
        planted.report.body?.req1h = 19
        planted.report.body?.err5xx1h = 19
        #expect(planted.failure == nil)
    }

    @Test func withoutAMonitorOnlyTheNodeIsProbed() {
        var planted = Case()
        planted.check = ConfirmationCheck(version: nil, errorRatioBefore: nil, heartbeatAfter: nil)
        planted.report.lastBeat = nil
        planted.health = .ready(version: "9")
        #expect(planted.failure == nil)
    }
}
