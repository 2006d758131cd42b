import Monitor
import Testing
import Wire

/// The table of rules, row by row.
@Suite struct ValueTests {
    struct Row: CustomTestStringConvertible {
        var testDescription: String
        /// What is wrong.
        var bad: @Sendable (inout Heartbeat) -> Void
        /// Seconds of it before anything is told.
        var holds = 0.0
        var opened: [String]
        /// What is better, and not yet good.
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
            testDescription: "a storm of errors", bad: { $0.err1h = 600 }, holds: 120,
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

    @Test(arguments: rows) func aRowOpensOnceAndEnds(_ row: Row) throws {
        var fleet = Watched()
        if row.holds > 0 {
            fleet.beat(["tokyo"], for: row.holds, row.bad)
            #expect(fleet.told() == [], "it must hold for a while")
        }
        fleet.beat("tokyo", row.bad)
        #expect(fleet.told() == row.opened)
        fleet.wait(30)
        fleet.beat(["tokyo"], for: 600, row.bad)
        #expect(fleet.told() == [], "told once")
        if let edge = row.edge {
            fleet.beat(["tokyo"], for: 120, edge)
            #expect(fleet.told() == [], "better is not good")
        }
        fleet.beat()
        let end = try #require(row.opened.first).replacing("opened", with: "resolved")
        #expect(fleet.told() == [end])
        #expect(fleet.judge.book.open.isEmpty)
    }

    @Test(arguments: rows) func aBlipOrARestartOrPlannedWorkOpensNothing(_ row: Row) {
        var fleet = Watched()
        fleet.restart()
        fleet.beat("tokyo", row.bad)
        fleet.wait(30)
        fleet.beat()
        fleet.wait(30)
        fleet.changes += fleet.judge.add(
            Lease(id: 1, nodes: ["tokyo"], by: "soc", reason: "deploy", until: fleet.now.wall + 600_000), at: fleet.now)
        fleet.beat(["tokyo"], for: 300, row.bad)
        fleet.beat(["tokyo"], for: 300)
        #expect(fleet.told() == [])
    }

    /// A job that pushes once a day says it once.
    @Test func whatIsSaidInDoubtOrDuringPlannedWorkIsToldAfterwards() {
        var fleet = Watched(settled: false)
        fleet.wait(5)
        fleet.changes += fleet.judge.receive(Beat(ill: "no paper"), from: "tokyo", at: fleet.now).1
        fleet.wait(59)
        #expect(fleet.told() == [])
        fleet.wait(2)
        #expect(fleet.told() == ["opened tokyo/down sev2"])
        fleet.changes += fleet.judge.receive(Beat(), from: "tokyo", at: fleet.now).1
        #expect(fleet.told() == ["resolved tokyo/down sev2"])

        fleet.changes += fleet.judge.add(
            Lease(id: 1, nodes: ["tokyo"], by: "soc", reason: "deploy", until: fleet.now.wall + 50_000), at: fleet.now)
        fleet.changes += fleet.judge.receive(Beat(ill: "no paper"), from: "tokyo", at: fleet.now).1
        fleet.restart(after: 5)
        fleet.wait(44)
        #expect(fleet.told() == [])
        fleet.wait(30)
        #expect(fleet.told() == ["opened tokyo/down sev2"])
    }

    @Test func itRisesAndFalls() {
        var fleet = Watched()
        for percent in [86.0, 93, 98, 96, 94, 91, 90.5, 83, 81] { fleet.beat("tokyo") { $0.diskPct = percent } }
        #expect(
            fleet.told() == [
                "opened tokyo/disk warning", "raised tokyo/disk sev2", "raised tokyo/disk sev1",
                "lowered tokyo/disk sev2",
                "lowered tokyo/disk warning", "resolved tokyo/disk warning",
            ])
    }

    @Test func whatFollowsFromSilenceIsHidden() {
        var fleet = Watched()
        fleet.beat("tokyo") { $0.diskPct = 87 }
        #expect(fleet.told() == ["opened tokyo/disk warning"])
        fleet.wait(65)
        #expect(fleet.told() == ["opened tokyo/silent sev2"])
        #expect(fleet.judge.book.open["tokyo/disk"]?.incident.hiddenBy == "tokyo/silent")
        fleet.beat(["tokyo"], for: 60) { $0.diskPct = 87 }
        #expect(fleet.told() == ["resolved tokyo/silent sev2"])
        #expect(fleet.judge.book.open["tokyo/disk"]?.incident.hiddenBy == nil)
    }

    @Test func whatWasHiddenIsToldWhenItsCauseIsGone() {
        var fleet = Watched()
        fleet.beat("tokyo") { ($0.readOnly, $0.diskPct) = (true, 98) }
        #expect(fleet.told() == ["opened tokyo/disk sev1"])
        fleet.beat("tokyo") { $0.readOnly = true }
        #expect(fleet.told() == ["resolved tokyo/disk sev1", "opened tokyo/read-only sev1"])
    }

    @Test func anIllNodeIsHeardUnlessARuleSaysItBetter() {
        var fleet = Watched()
        func ill(_ fleet: inout Watched, _ change: (inout Heartbeat) -> Void = { _ in }) {
            var body = Heartbeat.healthy("tokyo", at: fleet.now.wall / 1_000)
            change(&body)
            fleet.changes += fleet.judge.receive(Beat(ill: "no luck", body: body), from: "tokyo", at: fleet.now).1
            fleet.wait(30)
        }
        for _ in 0..<3 { ill(&fleet) }
        #expect(fleet.told() == ["opened tokyo/ill sev2"])
        fleet.beat()
        #expect(fleet.told() == ["resolved tokyo/ill sev2"])
        for _ in 0..<5 { ill(&fleet) { $0.dbIntegrity = "bad" } }
        #expect(fleet.told() == ["opened tokyo/database sev1"])
    }

    @Test func errorsAreHeldAgainstTheNodesOwnUsual() {
        var fleet = Watched()
        // A node that always refuses a quarter is not unusual when it refuses a third.
        fleet.judge = FleetJudge(
            nodes: [
                (
                    NodeName("tokyo"),
                    {
                        var memory = NodeMemory(); memory.usualErrors = 0.25; return memory
                    }()
                )
            ],
            at: fleet.now)
        fleet.beat(["tokyo"], for: 600) { $0.err1h = 280 }
        #expect(fleet.told() == [])
        fleet.beat(["tokyo"], for: 600) { ($0.req1h, $0.err1h) = (40, 40) }
        #expect(fleet.told() == [], "too few to say")
    }

    @Test func driftIsToldAfterAnHourAndOnlyAgainstAMajority() {
        let names = ["tokyo", "seoul", "dubai"]
        var fleet = Watched(names)
        func beat(_ fleet: inout Watched, for seconds: Int) {
            for _ in 0..<seconds / 30 {
                fleet.beat("tokyo")
                fleet.beat("seoul")
                fleet.beat("dubai") { $0.version = "0.9" }
                fleet.wait(30)
            }
        }
        beat(&fleet, for: 3_600)
        #expect(fleet.told() == [])
        beat(&fleet, for: 300)
        #expect(fleet.told() == ["opened dubai/drift warning"])
        fleet.beat(names, for: 60) { $0.version = "0.9" }
        fleet.beat(names, for: 120) { $0.version = "0.9" }
        #expect(fleet.told() == ["resolved dubai/drift warning"])
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
            testDescription: "a restore", epoch: 2, sequence: 5, head: "z", opened: ["opened tokyo/restored warning"]),
    ])
    func theMonitorIsTheWitness(_ chain: Chain) throws {
        var fleet = Watched()
        fleet.beat("tokyo") { ($0.auditEpoch, $0.auditSeq, $0.auditHead) = (1, 10, "a") }
        fleet.restart()
        fleet.beat(["tokyo"], for: 90) { ($0.auditEpoch, $0.auditSeq, $0.auditHead) = (1, 10, "a") }
        fleet.beat("tokyo") { ($0.auditEpoch, $0.auditSeq, $0.auditHead) = (chain.epoch, chain.sequence, chain.head) }
        #expect(fleet.told() == chain.opened)
        // Growing on does not make it good again: a human says so.
        fleet.beat(["tokyo"], for: 300) { ($0.auditEpoch, $0.auditSeq, $0.auditHead) = (chain.epoch, 100, "y") }
        #expect(fleet.told() == [])
        guard let id = fleet.judge.book.open.values.first?.incident.id else { return }
        fleet.changes += try fleet.judge.accept(id, at: fleet.now)
        #expect(fleet.told().count == 1)
        fleet.beat(["tokyo"], for: 300) { ($0.auditEpoch, $0.auditSeq, $0.auditHead) = (chain.epoch, 100, "y") }
        #expect(fleet.told() == [])
    }

    @Test func onlyWhatNeedsAHumanIsEndedByOne() throws {
        var fleet = Watched()
        fleet.wait(65)
        let id = try #require(fleet.judge.book.open["tokyo/silent"]?.incident.id)
        #expect(throws: FleetJudge.Refusal.notYoursToEnd) { _ = try fleet.judge.accept(id, at: fleet.now) }
    }
}
