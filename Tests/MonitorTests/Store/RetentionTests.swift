import Foundation
import Monitor
import SQLite
import TestSupport
import Testing
import Wire

/// Heartbeats are aggregated to minutes and hours, and the file stays as small as documented.
@Suite(.timeLimit(.minutes(15))) struct RetentionTests {
    private static let start: Int64 = 1_800_000_000_000 / 86_400_000 * 86_400_000

    private static func with(_ body: (MonitorStore, String) async throws -> Void) async throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let path = scratch.file("monitor.db")
        let store = try MonitorStore(path: path)
        try await store.addNode(MonitoredNode("tokyo"), tokenHash: PushToken().hash, now: 0)
        try await body(store, path)
    }

    private static func beat(_ seq: Int64, cpu: Double = 2) -> Beat {
        var body = Heartbeat.healthy("tokyo", at: 0)
        (body.bootID, body.seq, body.cpuPct) = ("0123456789abcdef0123456789abcdef", seq, cpu)
        (body.auditEpoch, body.auditSeq, body.auditHead) = (1, seq, String(repeating: "h", count: 43))
        (body.p99MS, body.conns, body.load1m) = (4.2, 17, 0.12)
        return Beat(ping: 31, body: body)
    }

    @Test func metricsSurviveEncoding() {
        let metrics = Metrics(Self.beat(1, cpu: 12.5))
        let back = Metrics(bytes: metrics.bytes)
        #expect(back.bytes == metrics.bytes)
        #expect(back[.cpu] == 12.5 && back[.ping] == 31 && back[.certificate] == 62)
        #expect(Metrics(Beat())[.cpu] == nil)
        for length in 0..<metrics.bytes.count { _ = Metrics(bytes: Array(metrics.bytes.prefix(length))) }
    }

    @Test func hoursAreTheMeansOfTheirMinutes() async throws {
        try await Self.with { store, _ in
            for minute in Int64(0)..<120 {
                var mean = MeanMetrics()
                mean.add(Metrics(Self.beat(1, cpu: Double(minute / 60) * 10 + 5)))
                mean.add(Metrics(Self.beat(1, cpu: Double(minute / 60) * 10 + 7)))
                try await store.save(
                    [.init(node: 1, beats: mean.beats, metrics: mean.mean, persisted: PersistedNodeState())],
                    minute: Self.start / 60_000 + minute, now: Self.start + minute * 60_000)
            }
            try await store.rollUpHours(now: Self.start + 2 * 3_600_000)
            let history = try await store.history(of: "tokyo", days: 30, now: Self.start + 2 * 3_600_000)
            let points = history.points.compactMap(\.self)
            #expect(points.map { $0.metrics[.cpu] } == [6, 16])
            #expect(points.map(\.beats) == [120, 120])
            let day = try await store.history(of: "tokyo", days: 1, now: Self.start + 2 * 3_600_000)
            #expect(day.points.count == 1_440 && day.points.compactMap(\.self).count == 120)
        }
    }

    /// A clock set back over a full hour finds future hours.
    @Test func aClockSetBackStopsNoAggregation() async throws {
        try await Self.with { store, _ in
            try await store.rollUpHours(now: Self.start + 5 * 3_600_000)
            try await store.rollUpHours(now: Self.start + 5 * 3_600_000 - 20_000)
            try await store.rollUpHours(now: Self.start)
            try await store.rollUpHours(now: Self.start + 7 * 3_600_000)
        }
    }

    /// A year of one node, as stored at its end.
    @Test func aYearOfANodeStaysWithinThreeMegabytes() async throws {
        try await Self.with { store, path in
            let end = Self.start + 366 * 86_400_000
            try await store.database.write { db in
                for hour in 0..<(366 * 24) {
                    try db.run(
                        "INSERT INTO hour VALUES (?, 1, 120, ?)", .integer(Self.start / 3_600_000 + Int64(hour)),
                        .blob(Metrics(Self.beat(1)).bytes))
                }
                for minute in 0..<2_880 {
                    try db.run(
                        "INSERT INTO minute VALUES (?, 1, 2, ?)", .integer(end / 60_000 - Int64(minute)),
                        .blob(Metrics(Self.beat(1)).bytes))
                }
            }
            for turn in Int64(0)..<2_880 {
                let beat = Self.beat(1_000_000 + turn)
                try await store.append(beat, Metrics(beat), of: 1, at: end - 86_400_000 + turn * 30_000)
            }
            try await store.database.maintain { db in try db.script("PRAGMA wal_checkpoint(TRUNCATE)") }
            let size = try #require(try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
            print("one node and year: \(size / 1_000) kB")
            #expect(size <= 3_000_000)
        }
    }

    @Test func expiredRowsAreDeletedAndOthersStay() async throws {
        try await Self.with { store, _ in
            let now = Self.start + 400 * 86_400_000
            for (age, index) in [(86_400_000 + 1, 1), (1_000, 2)] as [(Int64, Int64)] {
                let beat = Self.beat(index)
                try await store.append(beat, Metrics(beat), of: 1, at: now - age)
            }
            for age in [2 * 86_400_000 + 120_000, 60_000] as [Int64] {
                try await store.save(
                    [.init(node: 1, beats: 1, metrics: Metrics(), persisted: PersistedNodeState())],
                    minute: (now - age) / 60_000,
                    now: now)
            }
            try await store.deleteExpired(now: now)
            let counts = try await store.database.read { db in
                [
                    try db.first("SELECT COUNT(*) FROM beat") { $0.int(0) },
                    try db.first("SELECT COUNT(*) FROM minute") { $0.int(0) },
                ]
            }
            #expect(counts == [1, 1])
        }
    }
}
