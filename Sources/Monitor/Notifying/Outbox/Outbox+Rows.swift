import FoundationEssentials
import SQLite

extension Outbox {
    /// One message on its way.
    package struct Row: Equatable, Sendable {
        package let id: Int64
        package let key: String
        package let channel: String
        /// Nil when an older or newer program wrote it in a way that this one cannot read.
        package let message: Message?
        package let created: Int64
        package let progress: Int
        package let attempts: Int
        /// Attempts that were answered with a no for good.
        package let refusals: Int
        package let state: State
        package let lastError: String?

        package enum State: Equatable, Sendable {
            case waiting(nextAttempt: Int64)
            case delivered(at: Int64)
            case failed(at: Int64)
        }
    }

    /// The oldest message that the channel has not had. The others wait behind it, but for those that it lets pass; about
    /// one incident nothing ever passes anything, or an end would come before its beginning.
    package func next(for channel: String, now: Int64) async throws -> Row? {
        let rows = try await database.read { database in
            try database.all(
                """
                SELECT id, key, channel, payload, created, progress, attempts, refusals, next_attempt, delivered_at,
                    failed_at, last_error, steps_aside
                FROM notification WHERE channel = ?1 AND next_attempt IS NOT NULL ORDER BY id
                -- The first alone, unless somebody lets others pass.
                LIMIT CASE WHEN EXISTS (
                    SELECT 1 FROM notification WHERE channel = ?1 AND next_attempt IS NOT NULL AND steps_aside
                ) THEN 100 ELSE 1 END
                """, .text(channel), row: { (Row($0, now: now), stepsAside: $0.int(12) == 1) })
        }
        var candidates: [Row] = []
        var held: Set<Int64> = []
        for (row, stepsAside) in rows {
            let incidents = Set(row.message?.changes.map(\.incident.id) ?? [])
            if held.isDisjoint(with: incidents) {
                candidates.append(row)
                guard stepsAside else { break }
            }
            held.formUnion(incidents)
        }
        return candidates.min { $0.due(at: now) < $1.due(at: now) }
    }

    /// The newest first, for people to look at.
    package func list(before id: Int64? = nil, most: Int = 100) async throws -> [Row] {
        try await database.read { database in
            try database.all(
                """
                SELECT id, key, channel, payload, created, progress, attempts, refusals, next_attempt, delivered_at,
                    failed_at, last_error
                FROM notification WHERE id < ? ORDER BY id DESC LIMIT ?
                """, .integer(id ?? .max), .integer(most), row: { Row($0) })
        }
    }

    /// The channel has taken so many pieces.
    package func advance(_ id: Int64, to progress: Int) async throws {
        try await database.write {
            _ = try $0.run("UPDATE notification SET progress = ? WHERE id = ?", .integer(progress), .integer(id))
        }
    }

    package func markDelivered(_ id: Int64, at now: Int64) async throws {
        try await database.write {
            _ = try $0.run(
                """
                UPDATE notification SET attempts = attempts + 1, delivered_at = ?, next_attempt = NULL, last_error = NULL
                WHERE id = ?
                """, .integer(now), .integer(id))
        }
    }

    /// `next`: Nil when it is given up.
    package func markFailed(
        _ id: Int64, _ failure: DeliveryFailure, next: Int64?, progress: Int, at now: Int64
    ) async throws {
        try await database.write {
            _ = try $0.run(
                """
                UPDATE notification SET attempts = attempts + 1, refusals = refusals + ?, last_error = ?,
                    next_attempt = ?, failed_at = ?, progress = ?, steps_aside = ? AND attempts >= ?
                WHERE id = ?
                """,
                .integer(failure.kind == .refused ? 1 : 0), .text(failure.description), .integer(next),
                .integer(next == nil ? now : nil), .integer(progress), .integer(failure.mayBeTheMessage ? 1 : 0),
                .integer(RetryRule.mostInTheWay - 1), .integer(id))
        }
    }

    /// Gives up what waits for channels that are no longer configured.
    package func abandonUnknown(at now: Int64) async throws {
        let known = Set(channels)
        try await database.write { database in
            let waiting = try database.all(
                "SELECT DISTINCT channel FROM notification WHERE next_attempt IS NOT NULL", row: { $0.text(0) })
            for channel in waiting where !known.contains(channel) {
                try database.run(
                    """
                    UPDATE notification SET next_attempt = NULL, failed_at = ?,
                        last_error = 'the channel is no longer configured'
                    WHERE channel = ? AND next_attempt IS NOT NULL
                    """, .integer(now), .text(channel))
            }
        }
    }

    private static let day: Int64 = 86_400_000

    /// Removes what was delivered 30 days ago, and what was given up a year ago.
    package func prune(now: Int64) async throws {
        while try await database.write({ database in
            try MessageRows.prune(
                deliveredBefore: now - 30 * Self.day, failedBefore: now - 365 * Self.day, in: database)
        }) {}
    }

    /// By channel, how many wait and since when the oldest does.
    package func waiting() async throws -> [String: (count: Int, since: Int64)] {
        let rows = try await database.read { database in
            try database.all(
                """
                SELECT channel, count(*), min(created) FROM notification WHERE next_attempt IS NOT NULL GROUP BY channel
                """, row: { ($0.text(0), (count: $0.int(1), since: $0.integer(2))) })
        }
        return Dictionary(uniqueKeysWithValues: rows)
    }
}

extension Outbox.Row {
    private static let furthest = Int64(RetryRule.longest * 1_000) + 60_000

    /// When it may be sent; what may be sent already comes in the order of its age.
    fileprivate func due(at now: Int64) -> (Int64, Int64) {
        if case .waiting(let next) = state { (max(next, now), id) } else { (.max, id) }
    }

    /// `now`: A retry that lies further ahead than any is ever put was put there by a clock that has been set back since.
    fileprivate init(_ row: SQLite.Row, now: Int64 = .max) {
        id = row.integer(0)
        key = row.text(1)
        channel = row.text(2)
        message = try? JSONDecoder().decode(Message.self, from: Data(row.text(3).utf8))
        created = row.integer(4)
        progress = row.int(5)
        attempts = row.int(6)
        refusals = row.int(7)
        state =
            if let next = row.optionalInteger(8) {
                .waiting(nextAttempt: next.subtractingReportingOverflow(Self.furthest).partialValue > now ? now : next)
            } else if let delivered = row.optionalInteger(9) {
                .delivered(at: delivered)
            } else {
                .failed(at: row.integer(10))
            }
        lastError = row.isNull(11) ? nil : row.text(11)
    }
}
