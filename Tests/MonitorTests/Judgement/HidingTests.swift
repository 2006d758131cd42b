import Monitor
import Testing
import Wire

/// What is hidden stays known, and is told when nothing hides it any more.
@Suite struct HidingTests {
    let routes = [Route(channel: "pager", severities: [.sev1, .sev2, .warning], after: 0, resend: 600)]

    private func silence(_ fleet: inout Watched, _ rule: String? = nil, for seconds: Int64) {
        let silence = Silence(
            id: 1, node: "tokyo", rule: rule, by: "soc", reason: "known", until: fleet.now.wall + seconds * 1_000)
        fleet.changes += fleet.judge.add(silence, at: fleet.now)
    }

    private func kinds(_ fleet: inout Watched) -> [String] {
        defer { fleet.changes = [] }
        return fleet.changes.map { "\($0.kind.rawValue) \($0.incident.key) \($0.incident.severity.rawValue)" }
    }

    // MARK: Silences

    @Test func whatRoseUnderASilenceIsToldWhenItEnds() {
        var fleet = Watched()
        var escalation = Escalation()
        fleet.beat("tokyo") { $0.diskPct = 87 }
        #expect(escalation.apply(fleet.changes, routes: routes).map(\.change.kind) == [.opened])
        #expect(kinds(&fleet) == ["opened tokyo/disk warning"])
        silence(&fleet, "disk", for: 3_600)
        fleet.beat(["tokyo"], for: 1_800) { $0.diskPct = 96 }
        #expect(escalation.apply(fleet.changes, routes: routes).isEmpty)
        #expect(kinds(&fleet) == ["hidden tokyo/disk warning", "raised tokyo/disk sev1"])
        #expect(escalation.tick(fleet.now.wall, routes: routes).isEmpty, "nobody is reminded of what was silenced")
        fleet.beat(["tokyo"], for: 1_860) { $0.diskPct = 96 }
        let told = escalation.apply(fleet.changes, routes: routes)
        #expect(told.map(\.change.kind) == [.raised])
        #expect(told.map(\.change.incident.severity) == [.sev1])
        #expect(kinds(&fleet) == ["shown tokyo/disk sev1"])
        let later = fleet.now.wall + 600_000
        #expect(escalation.tick(later, routes: routes).map(\.change.kind) == [.reminded])
    }

    @Test func aSilenceThatEndsDoesNotShowWhatFollowsFromSomethingElse() {
        var fleet = Watched()
        fleet.beat("tokyo") { $0.diskPct = 87 }
        silence(&fleet, "disk", for: 120)
        fleet.wait(130)
        #expect(fleet.judge.book.open["tokyo/disk"]?.incident.hiddenBy == "tokyo/silent")
        #expect(kinds(&fleet).filter { $0.hasPrefix("shown") }.isEmpty)
    }

    @Test func aChangedAuditChainDoesNotFollowFromSilence() {
        var fleet = Watched()
        fleet.beat("tokyo") { ($0.auditEpoch, $0.auditSeq, $0.auditHead) = (1, 500, "head") }
        fleet.beat("tokyo") { ($0.auditEpoch, $0.auditSeq, $0.auditHead) = (1, 400, "older") }
        fleet.wait(400)
        #expect(fleet.judge.book.open["tokyo/silent"] != nil)
        #expect(fleet.judge.book.open["tokyo/audit-chain"]?.incident.hiddenBy == nil)
    }

    // MARK: Flapping

    /// Silent again and again, until it is told as one.
    private func flapping() -> Watched {
        var fleet = Watched()
        for _ in 0..<5 {
            fleet.wait(90)
            fleet.beat(["tokyo"], for: 90)
        }
        return fleet
    }

    @Test func aDeathIsToldThoughItFlapped() {
        var fleet = flapping()
        #expect(fleet.judge.book.open["tokyo/silent/flapping"] != nil)
        fleet.changes = []
        fleet.wait(300)
        #expect(fleet.told().contains("raised tokyo/silent/flapping sev1"))
    }

    @Test func whatFlappedIsNotToldUnderASilenceThatCameLater() {
        var fleet = flapping()
        fleet.wait(90)
        silence(&fleet, "silent", for: 7_200)
        fleet.changes = []
        fleet.wait(2_000)
        #expect(fleet.judge.book.open["tokyo/silent/flapping"] == nil)
        #expect(fleet.judge.book.open["tokyo/silent"]?.incident.hiddenBy == "silence/1")
        #expect(fleet.told().filter { $0.hasPrefix("opened") }.isEmpty)
    }

    // MARK: Restores and replays

    @Test func aRestoreDuringPlannedWorkIsToldAfterIt() {
        var fleet = Watched()
        fleet.beat("tokyo") { ($0.auditEpoch, $0.auditSeq, $0.auditHead) = (1, 500, "head") }
        fleet.changes += fleet.judge.add(
            Lease(id: 1, nodes: ["tokyo"], by: "soc", reason: "restore", until: fleet.now.wall + 300_000), at: fleet.now
        )
        var line: Int64 = 0
        fleet.beat(["tokyo"], for: 270) {
            line += 1
            ($0.auditEpoch, $0.auditSeq, $0.auditHead) = (2, line, "new \(line)")
        }
        #expect(fleet.told() == [])
        fleet.restart()
        fleet.beat(["tokyo"], for: 300) {
            line += 1
            ($0.auditEpoch, $0.auditSeq, $0.auditHead) = (2, line, "new \(line)")
        }
        #expect(fleet.told() == ["opened tokyo/restored warning"])
        // And once.
        if let id = fleet.judge.book.open["tokyo/restored"]?.incident.id {
            fleet.changes += (try? fleet.judge.accept(id, at: fleet.now)) ?? []
        }
        fleet.beat(["tokyo"], for: 300) {
            line += 1
            ($0.auditEpoch, $0.auditSeq, $0.auditHead) = (2, line, "new \(line)")
        }
        #expect(fleet.told() == ["resolved tokyo/restored warning"])
    }

    @Test func beatsThatComeAgainAreToldOf() {
        var fleet = Watched()
        for _ in 0..<2 { #expect(fleet.beat("tokyo") { $0.seq = 1 } == .replayed) }
        fleet.beat(["tokyo"], for: 30)
        #expect(fleet.told() == [], "a network's doing, perhaps")
        #expect(fleet.beat("tokyo") { $0.seq = 2 } == .replayed)
        fleet.beat(["tokyo"], for: 30)
        #expect(fleet.told() == ["opened tokyo/replayed warning"])
        fleet.beat(["tokyo"], for: 660)
        #expect(fleet.told() == ["resolved tokyo/replayed warning"])
    }

    @Test func aMachineThatWasSetBackIsSilentForAReasonThatIsTold() {
        var fleet = Watched()
        for _ in 0..<4 {
            _ = fleet.beat("tokyo") { $0.seq = 1 }
            fleet.wait(30)
        }
        #expect(fleet.told() == ["opened tokyo/silent sev2"])
        #expect(fleet.judge.book.open["tokyo/silent"]?.incident.detail.contains("set back") == true)
    }
}
