import FoundationEssentials
import SQLite

/// Rows of messages: how they get in, and how their number stays bounded.
enum MessageRows {
    /// What is there already under the same key stays as it is.
    static func insert(_ messages: [Message], at now: Int64, limit: Int, in database: Connection) throws {
        guard !messages.isEmpty else { return }
        let encoder = JSONEncoder()
        for message in messages.suffix(limit) {
            let payload = String(decoding: try encoder.encode(message), as: UTF8.self)
            try database.run(
                """
                INSERT INTO notification (key, channel, payload, created, next_attempt) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (key) DO NOTHING
                """,
                .text(message.key), .text(message.channel), .text(payload), .integer(now), .integer(now))
        }
        let count = try database.first("SELECT count(*) FROM notification", row: { $0.int(0) }) ?? 0
        if count > limit { try makeRoom(for: count - limit, in: database) }
    }

    /// What is settled goes first, and of what waits the oldest: the newest says best what is the matter.
    private static func makeRoom(for surplus: Int, in database: Connection) throws {
        try database.run(
            """
            DELETE FROM notification WHERE id IN (
                SELECT id FROM notification ORDER BY next_attempt IS NOT NULL, failed_at IS NOT NULL, id LIMIT ?
            )
            """, .integer(surplus))
    }

    /// Removes what was delivered or given up before a time, a thousand at most, so that no write waits for long.
    ///
    /// - Returns: Whether there may be more.
    static func prune(
        deliveredBefore delivered: Int64, failedBefore failed: Int64, in database: Connection
    ) throws -> Bool {
        let first = try database.run(
            "DELETE FROM notification WHERE id IN (SELECT id FROM notification WHERE delivered_at < ? LIMIT 1000)",
            .integer(delivered))
        let second = try database.run(
            "DELETE FROM notification WHERE id IN (SELECT id FROM notification WHERE failed_at < ? LIMIT 1000)",
            .integer(failed))
        return first == 1_000 || second == 1_000
    }
}
