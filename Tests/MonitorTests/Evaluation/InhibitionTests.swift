import Monitor
import Testing
import Wire

/// Inhibited incidents stay open, and are notified when their inhibition ends.
@Suite struct InhibitionTests {
    let routes = [Route(channel: "pager", severities: [.sev1, .sev2, .warning], after: 0, resend: 600)]

    private func silence(_ fleet: inout EvaluatedFleet, _ rule: String? = nil, for seconds: Int64) {
        let silence = Silence(
            id: 1, node: "tokyo", rule: rule, by: "soc", reason: "known", until: fleet.now.wall + seconds * 1_000)
        fleet.changes += fleet.evaluator.add(silence, at: fleet.now)
    }

    private func kinds(_ fleet: inout EvaluatedFleet) -> [String] {
        defer { fleet.changes = [] }
        return fleet.changes.map { "\($0.kind.rawValue) \($0.incident.key) \($0.incident.severity.rawValue)" }
    }

    // MARK: Silences

    @Test func aRiseDuringASilenceIsNotifiedWhenItEnds() {
        var fleet = EvaluatedFleet()
        var escalation = Escalation()
        fleet.beat("tokyo") { $0.diskPct = 87 }
        #expect(escalation.apply(fleet.changes, routes: routes).map(\.change.kind) == [.opened])
        #expect(kinds(&fleet) == ["opened tokyo/disk warning"])
        silence(&fleet, "disk", for: 3_600)
        fleet.beat(["tokyo"], for: 1_800) { $0.diskPct = 96 }
        #expect(escalation.apply(fleet.changes, routes: routes).isEmpty)
        #expect(kinds(&fleet) == ["hidden tokyo/disk warning", "raised tokyo/disk sev1"])
        #expect(escalation.tick(fleet.now.wall, routes: routes).isEmpty, "a silenced incident sends no reminders")
        fleet.beat(["tokyo"], for: 1_860) { $0.diskPct = 96 }
        let notified = escalation.apply(fleet.changes, routes: routes)
        #expect(notified.map(\.change.kind) == [.raised])
        #expect(notified.map(\.change.incident.severity) == [.sev1])
        #expect(kinds(&fleet) == ["shown tokyo/disk sev1"])
        let later = fleet.now.wall + 600_000
        #expect(escalation.tick(later, routes: routes).map(\.change.kind) == [.reminded])
    }

    @Test func theEndOfASilenceKeepsOtherInhibitions() {
        var fleet = EvaluatedFleet()
        fleet.beat("tokyo") { $0.diskPct = 87 }
        silence(&fleet, "disk", for: 120)
        fleet.wait(130)
        #expect(fleet.evaluator.incidents.open["tokyo/disk"]?.incident.inhibitedBy == "tokyo/silent")
        #expect(kinds(&fleet).filter { $0.hasPrefix("shown") }.isEmpty)
    }

    @Test func aChangedAuditChainDoesNotFollowFromSilence() {
        var fleet = EvaluatedFleet()
        fleet.beat("tokyo") { ($0.auditEpoch, $0.auditSeq, $0.auditHead) = (1, 500, "head") }
        fleet.beat("tokyo") { ($0.auditEpoch, $0.auditSeq, $0.auditHead) = (1, 400, "older") }
        fleet.wait(400)
        #expect(fleet.evaluator.incidents.open["tokyo/silent"] != nil)
        #expect(fleet.evaluator.incidents.open["tokyo/audit-chain"]?.incident.inhibitedBy == nil)
    }

    // MARK: Flapping

    /// A node that falls silent repeatedly until it counts as flapping.
    private func flapping() -> EvaluatedFleet {
        var fleet = EvaluatedFleet()
        for _ in 0..<5 {
            fleet.wait(90)
            fleet.beat(["tokyo"], for: 90)
        }
        return fleet
    }

    @Test func aHigherSeverityIsNotifiedDespiteFlapping() {
        var fleet = flapping()
        #expect(fleet.evaluator.incidents.open["tokyo/silent/flapping"] != nil)
        fleet.changes = []
        fleet.wait(300)
        #expect(fleet.notified().contains("raised tokyo/silent/flapping sev1"))
    }

    @Test func flappingIsNotNotifiedUnderALaterSilence() {
        var fleet = flapping()
        fleet.wait(90)
        silence(&fleet, "silent", for: 7_200)
        fleet.changes = []
        fleet.wait(2_000)
        #expect(fleet.evaluator.incidents.open["tokyo/silent/flapping"] == nil)
        #expect(fleet.evaluator.incidents.open["tokyo/silent"]?.incident.inhibitedBy == "silence/1")
        #expect(fleet.notified().filter { $0.hasPrefix("opened") }.isEmpty)
    }

    // MARK: Restores and replays

    @Test func aRestoreDuringMaintenanceIsNotifiedAfterwards() {
        var fleet = EvaluatedFleet()
        fleet.beat("tokyo") { ($0.auditEpoch, $0.auditSeq, $0.auditHead) = (1, 3, "early") }
        fleet.beat("tokyo") { ($0.auditEpoch, $0.auditSeq, $0.auditHead) = (1, 500, "head") }
        fleet.changes += fleet.evaluator.add(
            MaintenanceWindow(id: 1, nodes: ["tokyo"], by: "soc", reason: "restore", until: fleet.now.wall + 300_000),
            at: fleet.now
        )
        var line: Int64 = 3
        fleet.beat(["tokyo"], for: 270) {
            line += 1
            ($0.auditEpoch, $0.auditSeq, $0.auditHead) = (2, line, "new \(line)")
        }
        #expect(fleet.notified() == [])
        fleet.restart()
        fleet.beat(["tokyo"], for: 300) {
            line += 1
            ($0.auditEpoch, $0.auditSeq, $0.auditHead) = (2, line, "new \(line)")
        }
        #expect(fleet.notified() == ["opened tokyo/restored warning"])
        // The restore is reported once.
        if let id = fleet.evaluator.incidents.open["tokyo/restored"]?.incident.id {
            fleet.changes += (try? fleet.evaluator.accept(id, at: fleet.now)) ?? []
        }
        fleet.beat(["tokyo"], for: 300) {
            line += 1
            ($0.auditEpoch, $0.auditSeq, $0.auditHead) = (2, line, "new \(line)")
        }
        #expect(fleet.notified() == ["resolved tokyo/restored warning"])
    }

    @Test func repeatedReplaysAreNotified() {
        var fleet = EvaluatedFleet()
        for _ in 0..<2 { #expect(fleet.beat("tokyo") { $0.seq = 1 } == .replayed) }
        fleet.beat(["tokyo"], for: 30)
        #expect(fleet.notified() == [], "a single replay may be caused by the network")
        #expect(fleet.beat("tokyo") { $0.seq = 2 } == .replayed)
        fleet.beat(["tokyo"], for: 30)
        #expect(fleet.notified() == ["opened tokyo/replayed warning"])
        fleet.beat(["tokyo"], for: 660)
        #expect(fleet.notified() == ["resolved tokyo/replayed warning"])
    }

    @Test func theSilenceOfARestoredMachineMentionsReplays() {
        var fleet = EvaluatedFleet()
        for _ in 0..<4 {
            _ = fleet.beat("tokyo") { $0.seq = 1 }
            fleet.wait(30)
        }
        #expect(fleet.notified() == ["opened tokyo/silent sev2"])
        #expect(fleet.evaluator.incidents.open["tokyo/silent"]?.incident.detail.contains("restored") == true)
    }
}
