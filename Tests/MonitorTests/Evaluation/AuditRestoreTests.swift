import Monitor
import Testing
import Wire

/// A log in a new epoch must continue a line that the monitor knows.
@Suite struct AuditRestoreTests {
    private var fleet = EvaluatedFleet()

    /// Four days, with a proven line each.
    init() {
        for day in 0..<4 {
            beat(1, Int64(10 + 10 * day), "day \(day)")
            fleet.beat(["tokyo"], for: 60) {
                ($0.auditEpoch, $0.auditSeq, $0.auditHead) = (1, Int64(11 + 10 * day), "more \(day)")
            }
            fleet.sleep(86_400)
            fleet.beat(["tokyo"], for: 90)
        }
        _ = fleet.notified()
        fleet.restart()
        fleet.beat(["tokyo"], for: 90)
        _ = fleet.notified()
    }

    private mutating func beat(_ epoch: Int64, _ line: Int64, _ head: String, at: Int64? = nil, _ hash: String = "") {
        fleet.beat("tokyo") {
            ($0.auditEpoch, $0.auditSeq, $0.auditHead) = (epoch, line, head)
            if let at { ($0.auditAt, $0.auditAtHash) = (at, hash) }
        }
        fleet.wait(30)
    }

    private var want: Int64? { fleet.evaluator.nodes["tokyo"]?.persisted.auditWant }
    private var open: [String] { fleet.evaluator.incidents.open.keys.filter { $0 != "tokyo/silent" }.sorted() }

    @Test mutating func aRestoreThatContinuesTheLastLineIsOne() {
        #expect(want == 41)
        beat(2, 50, "new 50")
        #expect(open == ["tokyo/restored"] && want == 50)
        beat(2, 52, "new 52")
        #expect(open == ["tokyo/restored"] && want == 52)
    }

    /// The backup is of the second day; the log has grown since beyond the lines that were lost.
    @Test mutating func aRestoreOfAnOlderBackupIsFoundDayByDay() {
        fleet.provesChains = false
        beat(2, 60, "new 60")
        for (number, line) in [Int64(41), 40, 30].enumerated() {
            #expect(want == line && open == [])
            beat(2, Int64(61 + number), "new \(61 + number)", at: line, "other \(line)")
        }
        #expect(want == 20)
        beat(2, 110, "new 110", at: 20, "day 1")
        #expect(open == ["tokyo/restored"])
        fleet.provesChains = true
        beat(2, 111, "new 111")
        #expect(want == 111)
    }

    @Test mutating func aShorterLogIsComparedWithTheLinesThatItCanHave() {
        beat(2, 25, "new 25")
        #expect(want == 20)
        beat(2, 26, "new 26")
        #expect(open == ["tokyo/restored"])
    }

    @Test mutating func anotherFileIsASEV1UntilAnOperatorAcceptsIt() throws {
        fleet.provesChains = false
        beat(2, 60, "new 60")
        for line: Int64 in [41, 40, 30, 20, 10] { beat(2, 60, "new 60", at: line, "other \(line)") }
        #expect(open == ["tokyo/audit-chain"])
        fleet.restart()
        fleet.beat(["tokyo"], for: 90) { ($0.auditEpoch, $0.auditSeq, $0.auditHead) = (2, 61, "new 61") }
        #expect(open == ["tokyo/audit-chain"])
        let incident = try #require(fleet.evaluator.incidents.open["tokyo/audit-chain"]?.incident.id)
        fleet.changes += try fleet.evaluator.accept(incident, at: fleet.now)
        fleet.provesChains = true
        beat(2, 62, "new 62")
        #expect(open == [] && want == 62)
    }

    @Test mutating func anEmptyFileIsASEV1AtOnce() {
        beat(2, 3, "new 3")
        #expect(open == ["tokyo/audit-chain"])
    }

    @Test mutating func aNewEpochWithoutAProofIsReported() {
        fleet.provesChains = false
        for line: Int64 in 50..<53 { beat(2, line, "new \(line)") }
        #expect(open == ["tokyo/audit-unproven"])
        // Nor does a hash at a line that was not asked for, or one of another day.
        beat(2, 53, "new 53", at: 40, "day 3")
        beat(2, 54, "new 54", at: 53, "new 53")
        #expect(open == ["tokyo/audit-unproven"])
    }

    @Test mutating func aPendingLogDoesNotGoBack() {
        fleet.provesChains = false
        beat(2, 60, "new 60")
        beat(2, 59, "new 59")
        #expect(open == ["tokyo/audit-chain"])
    }

    @Test func pointsAreKeptByDayAndThenByWeek() {
        var points: [AuditPoint] = []
        for day: Int64 in 0..<400 {
            for line in 0..<3 {
                points.add(AuditCheckpoint(epoch: 1, sequence: 10 * day + Int64(line), head: "h"), day: day)
            }
        }
        let days = points.map(\.day)
        #expect(days == days.sorted() && Set(days).count == days.count)
        #expect(days.suffix(14) == Array(386..<400))
        #expect((24...27).contains(days.count), "\(days)")
        #expect(days.first.map { $0 > 400 - 100 } == true)
        #expect(points.allSatisfy { $0.sequence == 10 * $0.day })
    }
}
