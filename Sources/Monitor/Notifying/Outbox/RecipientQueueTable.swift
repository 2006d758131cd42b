import FoundationEssentials
import SQLite

/// Loads and updates the notification queue of one recipient.
enum RecipientQueueTable {
    /// Maximum rows per load. Later ones wait until these are delivered.
    private static let limit = 2_000

    static func load(_ recipient: String, from database: Connection) throws -> RecipientQueue {
        var queue = RecipientQueue(state: try RecipientTable.load(recipient, from: database))
        try database.forEach(
            "SELECT id, change, created, attempts, next_attempt FROM telling WHERE line = ? ORDER BY id LIMIT ?",
            .text(recipient), .integer(limit)
        ) { row in
            // A change that this version cannot decode is discarded.
            let (id, bytes) = (try row.integer("id"), Data(try row.text("change").utf8))
            guard let change = try? JSONDecoder().decode(IncidentChange.self, from: bytes) else {
                return queue.unreadable.append(id)
            }
            queue.waiting.append(
                PendingNotification(
                    id: id, change: change, created: try row.integer("created"), attempts: try row.int("attempts"),
                    nextAttempt: try row.optionalInteger("next_attempt")))
        }
        try database.forEach(
            "SELECT incident, severity, is_acknowledged, thread, cause, at FROM heard WHERE line = ?", .text(recipient)
        ) { row in
            queue.notified[try row.integer("incident")] = NotifiedIncident(
                severity: Severity(rawValue: try row.text("severity")) ?? .warning,
                isAcknowledged: try row.int("is_acknowledged") == 1, thread: try row.text("thread"),
                cause: try row.text("cause"), at: try row.integer("at"))
        }
        try database.forEach("SELECT cause, at FROM told_cause WHERE line = ?", .text(recipient)) { row in
            queue.lastNotifiedByCause[try row.text("cause")] = try row.integer("at")
        }
        return queue
    }

    static func markDelivered(_ updates: [ThreadUpdate], of recipient: String, at now: Int64, in database: Connection)
        throws
    {
        for update in updates {
            for id in update.notifications { try database.run("DELETE FROM telling WHERE id = ?", .integer(id)) }
            for incident in update.over {
                try database.run(
                    "DELETE FROM heard WHERE line = ? AND incident = ?", .text(recipient), .integer(incident))
            }
            for (incident, notified) in update.notified {
                try database.run(
                    "INSERT OR REPLACE INTO heard VALUES (?, ?, ?, ?, ?, ?, ?)", .text(recipient), .integer(incident),
                    .text(notified.severity.rawValue), .integer(notified.isAcknowledged ? 1 : 0),
                    .text(notified.thread),
                    .text(notified.cause), .integer(notified.at))
            }
            for change in update.changes {
                try database.run(
                    "INSERT OR REPLACE INTO told_cause VALUES (?, ?, ?)", .text(recipient),
                    .text(change.incident.cause), .integer(now))
            }
        }
        try database.run(
            "DELETE FROM told_cause WHERE line = ? AND at < ?", .text(recipient), .integer(now - 86_400_000))
        if updates.contains(where: { !$0.changes.isEmpty }) {
            try RecipientTable.noteSuccess(recipient, at: now, in: database)
        }
    }

    static func reschedule(
        _ updates: [ThreadUpdate], of recipient: String, _ failure: FailedAttempt, in database: Connection
    ) throws {
        try RecipientTable.note(failure, of: recipient, in: database)
        guard failure.deferSeparately else { return }
        for id in updates.flatMap(\.notifications) {
            try database.run(
                "UPDATE telling SET attempts = attempts + 1, next_attempt = ? WHERE id = ?", .integer(failure.next),
                .integer(id))
        }
    }
}
