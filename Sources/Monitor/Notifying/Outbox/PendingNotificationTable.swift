import FoundationEssentials
import SQLite

/// Inserts pending notifications and bounds their number.
enum PendingNotificationTable {
    /// - Returns: The recipients with new notifications.
    static func insert(
        _ notifications: [ChannelNotification], for recipients: [String: [String]], at now: Int64, limit: Int,
        in database: Connection
    ) throws -> Set<String> {
        guard !notifications.isEmpty else { return [] }
        let encoder = JSONEncoder()
        var recipientsToWake: Set<String> = []
        for notification in notifications {
            let change = String(decoding: try encoder.encode(notification.change), as: UTF8.self)
            let incident = notification.change.incident.id
            for recipient in recipients[notification.channel] ?? [] {
                recipientsToWake.insert(recipient)
                if notification.change.kind == .reminded { try dropReminders(of: incident, recipient, in: database) }
                try database.run(
                    "INSERT INTO telling (line, incident, change, created) VALUES (?, ?, ?, ?)", .text(recipient),
                    .integer(incident), .text(change), .integer(now))
            }
        }
        let count = try database.first("SELECT count(*) FROM telling", row: { $0.int(0) }) ?? 0
        // The newest changes are the most useful.
        if count > limit {
            try database.run(
                "DELETE FROM telling WHERE id IN (SELECT id FROM telling ORDER BY id LIMIT ?)",
                .integer(count - limit))
        }
        return recipientsToWake
    }

    /// A channel that fails for a week would collect thousands of reminders.
    private static func dropReminders(of incident: Int64, _ recipient: String, in database: Connection) throws {
        try database.run(
            "DELETE FROM telling WHERE line = ? AND incident = ? AND change ->> '$.kind' = 'reminded'",
            .text(recipient),
            .integer(incident))
    }
}
