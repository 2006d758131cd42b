import SQLite
import Wire

/// Stores heartbeats and aggregates them: to minutes, then to hours, which are deleted in the end.
extension MonitorStore {
    /// Retention of each level, in milliseconds.
    enum Retention {
        static let beats: Int64 = 86_400_000
        static let minutes: Int64 = 2 * 86_400_000
        static let hours: Int64 = 366 * 86_400_000
    }

    /// Stores a heartbeat. Durable when this returns; concurrent calls share a commit.
    package func append(_ beat: Beat, _ metrics: Metrics, of node: Int64, at now: Int64) async throws {
        let bytes = metrics.bytes
        let body = beat.body
        let checkpoint = body.flatMap { AuditCheckpoint($0) }
        _ = try await database.write { db in
            // Two heartbeats of one node in the same millisecond carry no more information than one.
            try db.run(
                "INSERT OR IGNORE INTO beat VALUES (?, ?, ?, ?, ?, ?, ?, ?)", .integer(now), .integer(node),
                body?.bootID.map { .text($0) } ?? .null, body?.seq.map { .integer($0) } ?? .null,
                checkpoint.map { .integer($0.epoch) } ?? .null, checkpoint.map { .integer($0.sequence) } ?? .null,
                checkpoint.map { .text($0.head) } ?? .null, .blob(bytes))
        }
    }

    package struct MinuteRow: Sendable {
        package var node: Int64
        package var beats: Int
        package var metrics: Metrics
        package var persisted: PersistedNodeState

        package init(node: Int64, beats: Int, metrics: Metrics, persisted: PersistedNodeState) {
            self.node = node
            self.beats = beats
            self.metrics = metrics
            self.persisted = persisted
        }
    }

    /// Writes a finished minute, and the persisted state of its nodes.
    package func save(_ rows: [MinuteRow], minute: Int64, now: Int64) async throws {
        // In batches, so that heartbeats do not wait for a whole fleet.
        for start in stride(from: 0, to: rows.count, by: 500) {
            let piece = try rows[start..<min(start + 500, rows.count)].map { ($0, try Self.encode($0.persisted)) }
            try await database.write { db in
                for (row, persisted) in piece {
                    try db.run(
                        "INSERT OR REPLACE INTO minute VALUES (?, ?, ?, ?)", .integer(minute), .integer(row.node),
                        .integer(Int64(row.beats)), .blob(row.metrics.bytes))
                    try db.run(
                        "UPDATE node SET memory = ?, kept = ? WHERE id = ?", .text(persisted), .integer(now),
                        .integer(row.node))
                }
            }
        }
    }

    /// Aggregates minutes to hours, for every finished hour that has not been aggregated.
    package func rollUpHours(now: Int64) async throws {
        let present = now / 3_600_000
        let last = try await database.read { db in try db.first("SELECT hour FROM rolled") { $0.integer(0) } }
        // Hours aggregated while the clock ran ahead are aggregated again.
        let first = max(last.map { $0 < present ? $0 + 1 : 0 } ?? 0, present - 48)
        guard first < present else { return }
        for hour in first..<present {
            let means = try await database.read(lasting: .long) { db in
                var means: [Int64: MeanMetrics] = [:]
                try db.forEach(
                    "SELECT node, beats, metrics FROM minute WHERE at >= ? AND at < ?", .integer(hour * 60),
                    .integer(hour * 60 + 60)
                ) { row in
                    let metrics = Metrics(bytes: try row.blob("metrics"))
                    means[try row.integer("node"), default: MeanMetrics()].add(metrics, weight: try row.int("beats"))
                }
                return means
            }
            try await database.write { db in
                for (node, mean) in means {
                    try db.run(
                        "INSERT OR REPLACE INTO hour VALUES (?, ?, ?, ?)", .integer(hour), .integer(node),
                        .integer(Int64(mean.beats)), .blob(mean.mean.bytes))
                }
                try db.run(
                    "INSERT INTO rolled VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET hour = excluded.hour",
                    .integer(hour))
            }
        }
    }

    /// Writes a node's persisted state immediately.
    func save(_ persisted: PersistedNodeState, of node: Int64) async throws {
        let body = try Self.encode(persisted)
        _ = try await database.write { db in
            try db.run("UPDATE node SET memory = ? WHERE id = ?", .text(body), .integer(node))
        }
    }

    /// Deletes expired rows in small batches, without VACUUM or long transactions.
    package func deleteExpired(now: Int64) async throws {
        let cuts: [(StaticString, Int64)] = [
            (
                "DELETE FROM beat WHERE (at, node) IN (SELECT at, node FROM beat WHERE at < ? LIMIT 2000)",
                now - Retention.beats
            ),
            (
                "DELETE FROM minute WHERE (at, node) IN (SELECT at, node FROM minute WHERE at < ? LIMIT 2000)",
                (now - Retention.minutes) / 60_000
            ),
            (
                "DELETE FROM hour WHERE (at, node) IN (SELECT at, node FROM hour WHERE at < ? LIMIT 2000)",
                (now - Retention.hours) / 3_600_000
            ),
            (
                "DELETE FROM incident_change WHERE incident IN (SELECT id FROM incident WHERE resolved < ? LIMIT 200)",
                now - Retention.hours
            ),
            (
                "DELETE FROM incident WHERE id IN (SELECT id FROM incident WHERE resolved < ? LIMIT 200)",
                now - Retention.hours
            ),
            ("DELETE FROM session WHERE expires < ?", now),
            ("DELETE FROM silence WHERE until < ?", now), ("DELETE FROM lease WHERE until < ?", now),
        ]
        for (sql, before) in cuts {
            var deleted = 0
            repeat {
                deleted = try await database.write { db in try db.run(sql, .integer(before)) }
            } while deleted >= 200
        }
    }

    // MARK: History

    /// A node's means over time: `step` milliseconds apart, oldest first, nil for gaps.
    package struct History: Sendable {
        package var from: Int64
        package var step: Int64
        package var points: [(beats: Int, metrics: Metrics)?]
    }

    package func history(of name: String, days: Int, now: Int64) async throws -> History {
        let step: Int64 = days <= 2 ? 60_000 : 3_600_000
        let last = now / step
        let count = Int64(days) * 86_400_000 / step
        return try await database.read { db in
            var points: [(beats: Int, metrics: Metrics)?] = Array(repeating: nil, count: Int(count))
            // Looks up each time by key: rows are ordered by time, not by node.
            let rows: StaticString =
                step == 60_000
                ? """
                WITH RECURSIVE moment (at) AS (SELECT ? UNION ALL SELECT at + 1 FROM moment WHERE at < ?)
                SELECT m.at, m.beats, m.metrics FROM moment JOIN minute m ON m.at = moment.at AND m.node = (
                    SELECT id FROM node WHERE name = ?)
                """
                : """
                WITH RECURSIVE moment (at) AS (SELECT ? UNION ALL SELECT at + 1 FROM moment WHERE at < ?)
                SELECT h.at, h.beats, h.metrics FROM moment JOIN hour h ON h.at = moment.at AND h.node = (
                    SELECT id FROM node WHERE name = ?)
                """
            let first = last - count + 1
            try db.forEach(rows, .integer(first), .integer(last), .text(name)) { row in
                points[Int(try row.integer("at") - first)] = (
                    try row.int("beats"), Metrics(bytes: try row.blob("metrics"))
                )
            }
            return History(from: first * step, step: step, points: points)
        }
    }
}
