import Foundation
import Monitor
import TestSupport
import Testing
import Wire

/// Tests each row of the rule table.
@Suite struct RuleTests {
    struct Row: CustomTestStringConvertible {
        var testDescription: String
        /// The bad value.
        var bad: @Sendable (inout Heartbeat) -> Void
        /// Seconds before the incident opens.
        var holds = 0.0
        var opened: [String]
        /// A value between the thresholds, which does not resolve the incident.
        var edge: (@Sendable (inout Heartbeat) -> Void)?
    }

    static let rows = [
        Row(testDescription: "database", bad: { $0.dbIntegrity = "page 7" }, opened: ["opened tokyo/database sev1"]),
        Row(testDescription: "audit", bad: { $0.auditOK = false }, opened: ["opened tokyo/audit sev1"]),
        Row(testDescription: "read-only", bad: { $0.readOnly = true }, opened: ["opened tokyo/read-only sev1"]),
        Row(
            testDescription: "read-only because of the disk", bad: { ($0.readOnly, $0.diskPct) = (true, 98) },
            opened: ["opened tokyo/disk sev1"]),
        Row(
            testDescription: "disk, warning", bad: { $0.diskPct = 85 }, opened: ["opened tokyo/disk warning"],
            edge: { $0.diskPct = 83 }),
        Row(
            testDescription: "disk, SEV2", bad: { $0.diskPct = 92 }, opened: ["opened tokyo/disk sev2"],
            edge: { $0.diskPct = 90.5 }),
        Row(testDescription: "disk, SEV1", bad: { $0.diskPct = 97 }, opened: ["opened tokyo/disk sev1"]),
        Row(
            testDescription: "memory", bad: { $0.ramPct = 91 }, holds: 120, opened: ["opened tokyo/memory warning"],
            edge: { $0.ramPct = 86 }),
        Row(testDescription: "memory, SEV2", bad: { $0.ramPct = 99 }, holds: 120, opened: ["opened tokyo/memory sev2"]),
        Row(
            testDescription: "90-day certificate, warning", bad: { $0.certDaysRemaining = 22 },
            opened: ["opened tokyo/certificate warning"], edge: { $0.certDaysRemaining = 25 }),
        Row(
            testDescription: "90-day certificate, SEV2", bad: { $0.certDaysRemaining = 14 },
            opened: ["opened tokyo/certificate sev2"]),
        Row(
            testDescription: "90-day certificate, SEV1", bad: { $0.certDaysRemaining = 4 },
            opened: ["opened tokyo/certificate sev1"]),
        Row(
            testDescription: "6-day certificate", bad: { ($0.certDaysRemaining, $0.certLifetimeDays) = (1.4, 6.7) },
            opened: ["opened tokyo/certificate warning"]),
        Row(
            testDescription: "expired certificate", bad: { $0.certDaysRemaining = -1 },
            opened: ["opened tokyo/certificate sev1"]),
        Row(
            testDescription: "errors", bad: { $0.err1h = 150 }, holds: 120, opened: ["opened tokyo/errors warning"],
            edge: { $0.err1h = 70 }),
        Row(
            testDescription: "many errors", bad: { $0.err1h = 600 }, holds: 120,
            opened: ["opened tokyo/errors sev2"]),
        Row(
            testDescription: "clock", bad: { $0.ts += 15 }, holds: 60, opened: ["opened tokyo/clock warning"],
            edge: { $0.ts += 7 }),
        Row(testDescription: "clock, SEV2", bad: { $0.ts -= 45 }, holds: 60, opened: ["opened tokyo/clock sev2"]),
        Row(
            testDescription: "backup", bad: { $0.lastBackupAgeS = 36 * 3_600 }, opened: ["opened tokyo/backup warning"],
            edge: { $0.lastBackupAgeS = 31 * 3_600 }),
        Row(
            testDescription: "backup, SEV2", bad: { $0.lastBackupAgeS = 80 * 3_600 },
            opened: ["opened tokyo/backup sev2"]
        ),
    ]

    /// Operators look an incident up by its rule.
    @Test(arguments: Rule.names) func everyRuleIsExplained(_ name: String) throws {
        let text = try String(contentsOf: Project.folder.appending(path: "docs/OPERATIONS.md"), encoding: .utf8)
        let rows = text.split(separator: "\n").filter { $0.hasPrefix("| ") && $0.split(separator: "|").count == 3 }
        #expect(rows.contains { $0.split(separator: "|")[0].contains("`\(name)`") })
    }

    @Test(arguments: rows) func aRuleOpensOnceAndResolves(_ row: Row) throws {
        var fleet = EvaluatedFleet()
        if row.holds > 0 {
            fleet.beat(["tokyo"], for: row.holds, row.bad)
            #expect(fleet.notified() == [], "the condition must hold first")
        }
        fleet.beat("tokyo", row.bad)
        #expect(fleet.notified() == row.opened)
        fleet.wait(30)
        fleet.beat(["tokyo"], for: 600, row.bad)
        #expect(fleet.notified() == [], "notified once")
        if let edge = row.edge {
            fleet.beat(["tokyo"], for: 120, edge)
            #expect(fleet.notified() == [], "a value between the thresholds does not resolve it")
        }
        fleet.beat()
        let end = try #require(row.opened.first).replacing("opened", with: "resolved")
        #expect(fleet.notified() == [end])
        #expect(fleet.evaluator.incidents.open.isEmpty)
    }

    @Test(arguments: rows) func blipsRestartsAndMaintenanceOpenNothing(_ row: Row) {
        var fleet = EvaluatedFleet()
        fleet.restart()
        fleet.beat("tokyo", row.bad)
        fleet.wait(30)
        fleet.beat()
        fleet.wait(30)
        fleet.changes += fleet.evaluator.add(
            MaintenanceWindow(id: 1, nodes: ["tokyo"], by: "soc", reason: "deploy", until: fleet.now.wall + 600_000),
            at: fleet.now)
        fleet.beat(["tokyo"], for: 300, row.bad)
        fleet.beat(["tokyo"], for: 300)
        #expect(fleet.notified() == [])
    }

    /// A daily job reports a problem only once.
    @Test func problemsDuringAPauseOrMaintenanceAreNotifiedAfterwards() {
        var fleet = EvaluatedFleet(settled: false)
        fleet.wait(5)
        fleet.changes += fleet.evaluator.receive(Beat(healthProblem: "no paper"), from: "tokyo", at: fleet.now).1
        fleet.wait(59)
        #expect(fleet.notified() == [])
        fleet.wait(2)
        #expect(fleet.notified() == ["opened tokyo/down sev2"])
        fleet.changes += fleet.evaluator.receive(Beat(), from: "tokyo", at: fleet.now).1
        #expect(fleet.notified() == ["resolved tokyo/down sev2"])

        fleet.changes += fleet.evaluator.add(
            MaintenanceWindow(id: 1, nodes: ["tokyo"], by: "soc", reason: "deploy", until: fleet.now.wall + 50_000),
            at: fleet.now)
        fleet.changes += fleet.evaluator.receive(Beat(healthProblem: "no paper"), from: "tokyo", at: fleet.now).1
        fleet.restart(after: 5)
        fleet.wait(44)
        #expect(fleet.notified() == [])
        fleet.wait(30)
        #expect(fleet.notified() == ["opened tokyo/down sev2"])
    }

    @Test func theSeverityRisesAndFalls() {
        var fleet = EvaluatedFleet()
        for percent in [86.0, 93, 98, 96, 94, 91, 90.5, 83, 81] { fleet.beat("tokyo") { $0.diskPct = percent } }
        #expect(
            fleet.notified() == [
                "opened tokyo/disk warning", "raised tokyo/disk sev2", "raised tokyo/disk sev1",
                "lowered tokyo/disk sev2",
                "lowered tokyo/disk warning", "resolved tokyo/disk warning",
            ])
    }

    @Test func incidentsOfASilentNodeAreInhibited() {
        var fleet = EvaluatedFleet()
        fleet.beat("tokyo") { $0.diskPct = 87 }
        #expect(fleet.notified() == ["opened tokyo/disk warning"])
        fleet.wait(65)
        #expect(fleet.notified() == ["opened tokyo/silent sev2"])
        #expect(fleet.evaluator.incidents.open["tokyo/disk"]?.incident.inhibitedBy == "tokyo/silent")
        fleet.beat(["tokyo"], for: 60) { $0.diskPct = 87 }
        #expect(fleet.notified() == ["resolved tokyo/silent sev2"])
        #expect(fleet.evaluator.incidents.open["tokyo/disk"]?.incident.inhibitedBy == nil)
    }

    @Test func anInhibitedIncidentIsNotifiedWhenItsCauseResolves() {
        var fleet = EvaluatedFleet()
        fleet.beat("tokyo") { ($0.readOnly, $0.diskPct) = (true, 98) }
        #expect(fleet.notified() == ["opened tokyo/disk sev1"])
        fleet.beat("tokyo") { $0.readOnly = true }
        #expect(fleet.notified() == ["resolved tokyo/disk sev1", "opened tokyo/read-only sev1"])
    }

    @Test func aReportedProblemIsNotifiedUnlessARuleCoversIt() {
        var fleet = EvaluatedFleet()
        func healthProblem(_ fleet: inout EvaluatedFleet, _ change: (inout Heartbeat) -> Void = { _ in }) {
            var body = Heartbeat.healthy("tokyo", at: fleet.now.wall / 1_000)
            change(&body)
            fleet.changes +=
                fleet.evaluator.receive(Beat(healthProblem: "no luck", body: body), from: "tokyo", at: fleet.now).1
            fleet.wait(30)
        }
        for _ in 0..<3 { healthProblem(&fleet) }
        #expect(fleet.notified() == ["opened tokyo/ill sev2"])
        fleet.beat()
        #expect(fleet.notified() == ["resolved tokyo/ill sev2"])
        for _ in 0..<5 { healthProblem(&fleet) { $0.dbIntegrity = "bad" } }
        #expect(fleet.notified() == ["opened tokyo/database sev1"])
    }

    @Test func errorsAreComparedWithTheNodesUsualRatio() {
        var fleet = EvaluatedFleet()
        // A third of errors is not unusual for a node that usually has a quarter.
        fleet.evaluator = FleetEvaluator(
            nodes: [
                (
                    MonitoredNode("tokyo"),
                    {
                        var persisted = PersistedNodeState(); persisted.usualErrors = 0.25; return persisted
                    }()
                )
            ],
            at: fleet.now)
        fleet.beat(["tokyo"], for: 600) { $0.err1h = 280 }
        #expect(fleet.notified() == [])
        fleet.beat(["tokyo"], for: 600) { ($0.req1h, $0.err1h) = (40, 40) }
        #expect(fleet.notified() == [], "too few requests")
    }

    @Test func driftIsNotifiedAfterAnHourAgainstAMajority() {
        let names = ["tokyo", "seoul", "dubai"]
        var fleet = EvaluatedFleet(names)
        func beat(_ fleet: inout EvaluatedFleet, for seconds: Int) {
            for _ in 0..<seconds / 30 {
                fleet.beat("tokyo")
                fleet.beat("seoul")
                fleet.beat("dubai") { $0.version = "0.9" }
                fleet.wait(30)
            }
        }
        beat(&fleet, for: 3_600)
        #expect(fleet.notified() == [])
        beat(&fleet, for: 300)
        #expect(fleet.notified() == ["opened dubai/drift warning"])
        fleet.beat(names, for: 60) { $0.version = "0.9" }
        fleet.beat(names, for: 120) { $0.version = "0.9" }
        #expect(fleet.notified() == ["resolved dubai/drift warning"])
    }

    // MARK: The audit chain

    struct Chain: CustomTestStringConvertible {
        var testDescription: String
        var epoch: Int64 = 1
        var sequence: Int64
        var head: String
        var opened: [String]
    }

    @Test(arguments: [
        Chain(testDescription: "it grew", sequence: 11, head: "b", opened: []),
        Chain(testDescription: "nothing happened", sequence: 10, head: "a", opened: []),
        Chain(testDescription: "it went back", sequence: 9, head: "z", opened: ["opened tokyo/audit-chain sev1"]),
        Chain(testDescription: "it forked", sequence: 10, head: "z", opened: ["opened tokyo/audit-chain sev1"]),
        Chain(
            testDescription: "its epoch went back", epoch: 0, sequence: 99, head: "z",
            opened: ["opened tokyo/audit-chain sev1"]),
        Chain(
            testDescription: "another file in a new epoch", epoch: 2, sequence: 5, head: "z",
            opened: ["opened tokyo/audit-chain sev1"]),
    ])
    func theMonitorDetectsAChangedAuditChain(_ chain: Chain) throws {
        var fleet = EvaluatedFleet()
        fleet.beat("tokyo") { ($0.auditEpoch, $0.auditSeq, $0.auditHead) = (1, 10, "a") }
        fleet.restart()
        fleet.beat(["tokyo"], for: 90) { ($0.auditEpoch, $0.auditSeq, $0.auditHead) = (1, 10, "a") }
        fleet.beat("tokyo") { ($0.auditEpoch, $0.auditSeq, $0.auditHead) = (chain.epoch, chain.sequence, chain.head) }
        #expect(fleet.notified() == chain.opened)
        // A growing chain does not resolve the incident; an operator must accept it.
        let grown: Int64 = chain.epoch == 2 ? 7 : 100
        fleet.beat(["tokyo"], for: 300) { ($0.auditEpoch, $0.auditSeq, $0.auditHead) = (chain.epoch, grown, "y") }
        #expect(fleet.notified() == [])
        guard let id = fleet.evaluator.incidents.open.values.first?.incident.id else { return }
        fleet.changes += try fleet.evaluator.accept(id, at: fleet.now)
        #expect(fleet.notified().count == 1)
        fleet.beat(["tokyo"], for: 300) { ($0.auditEpoch, $0.auditSeq, $0.auditHead) = (chain.epoch, grown, "y") }
        #expect(fleet.notified() == [])
    }

    /// Lines were cut and replaced by as many others and more.
    @Test func aChainWithOtherLinesIsDetected() {
        var fleet = EvaluatedFleet()
        fleet.beat(["tokyo"], for: 90) { ($0.auditEpoch, $0.auditSeq, $0.auditHead) = (1, 36, "reported") }
        fleet.beat("tokyo") {
            ($0.auditEpoch, $0.auditSeq, $0.auditHead) = (1, 42, "padded")
            ($0.auditAt, $0.auditAtHash) = (36, "another")
        }
        #expect(fleet.notified() == ["opened tokyo/audit-chain sev1"])
    }

    @Test func aChainThatIsNotProvenIsDetected() {
        var fleet = EvaluatedFleet()
        fleet.beat(["tokyo"], for: 90) { ($0.auditEpoch, $0.auditSeq, $0.auditHead) = (1, 36, "reported") }
        fleet.provesChains = false
        fleet.beat(["tokyo"], for: 60) { ($0.auditEpoch, $0.auditSeq, $0.auditHead) = (1, 42, "padded") }
        #expect(fleet.notified() == [])
        fleet.restart()
        fleet.beat(["tokyo"], for: 120) { ($0.auditEpoch, $0.auditSeq, $0.auditHead) = (1, 42, "padded") }
        #expect(fleet.notified().contains("opened tokyo/audit-unproven sev2"))
        // The hash at another line proves nothing.
        fleet.beat(["tokyo"], for: 60) {
            ($0.auditEpoch, $0.auditSeq, $0.auditHead) = (1, 42, "padded")
            ($0.auditAt, $0.auditAtHash) = (42, "padded")
        }
        #expect(fleet.evaluator.incidents.open["tokyo/audit-unproven"] != nil)
        fleet.provesChains = true
        fleet.beat(["tokyo"], for: 60) { ($0.auditEpoch, $0.auditSeq, $0.auditHead) = (1, 43, "whole") }
        #expect(fleet.evaluator.incidents.open["tokyo/audit-unproven"] == nil)
    }

    @Test func aGrowingChainThatIsProvenRaisesNothing() {
        var fleet = EvaluatedFleet()
        var line: Int64 = 0
        fleet.beat(["tokyo"], for: 1_800) {
            line += 7
            ($0.auditEpoch, $0.auditSeq, $0.auditHead) = (1, line, "head \(line)")
        }
        #expect(fleet.notified() == [])
        #expect(fleet.evaluator.nodes["tokyo"]?.persisted.checkpoint?.sequence == line)
    }

    @Test func onlyLatchedIncidentsAreAccepted() throws {
        var fleet = EvaluatedFleet()
        fleet.wait(65)
        let id = try #require(fleet.evaluator.incidents.open["tokyo/silent"]?.incident.id)
        #expect(throws: FleetEvaluator.ActionError.endsOnlyByItself) {
            _ = try fleet.evaluator.accept(id, at: fleet.now)
        }
    }
}
