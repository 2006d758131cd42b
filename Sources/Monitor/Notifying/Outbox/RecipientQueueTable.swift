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
            guard let change = try? JSONDecoder().decode(IncidentChange.self, from: Data(row.text(1).utf8)) else {
                return queue.unreadable.append(row.integer(0))
            }
            queue.waiting.append(
                PendingNotification(
                    id: row.integer(0), change: change, created: row.integer(2), attempts: row.int(3),
                    nextAttempt: row.optionalInteger(4)))
        }
        try database.forEach(
            "SELECT incident, severity, is_acknowledged, thread, cause, at FROM heard WHERE line = ?", .text(recipient)
        ) { row in
            queue.notified[row.integer(0)] = NotifiedIncident(
                severity: Severity(rawValue: row.text(1)) ?? .warning, isAcknowledged: row.int(2) == 1,
                thread: row.text(3), cause: row.text(4), at: row.integer(5))
        }
        try database.forEach("SELECT cause, at FROM told_cause WHERE line = ?", .text(recipient)) { row in
            queue.lastNotifiedByCause[row.text(0)] = row.integer(1)
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
