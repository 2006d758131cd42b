import SQLite

enum RecipientTable {
    static func load(_ recipient: String, from database: Connection) throws -> RecipientState {
        try database.first(
            "SELECT sent, failing_since, attempts, refusals, next_attempt, last_error FROM line WHERE name = ?",
            .text(recipient), row: state) ?? RecipientState()
    }

    static func all(in database: Connection) throws -> [String: RecipientState] {
        let rows = try database.all(
            "SELECT name, sent, failing_since, attempts, refusals, next_attempt, last_error FROM line",
            row: { (try $0.text("name"), try state($0)) })
        var states = Dictionary(uniqueKeysWithValues: rows)
        try database.forEach("SELECT line, count(*) AS waiting, min(created) AS since FROM telling GROUP BY line") {
            row in
            let name = try row.text("line")
            states[name, default: RecipientState()].waiting = try row.int("waiting")
            states[name, default: RecipientState()].waitingSince = try row.integer("since")
        }
        return states
    }

    private static func state(_ row: Row) throws -> RecipientState {
        var state = RecipientState()
        state.sent = try row.optionalInteger("sent")
        state.failingSince = try row.optionalInteger("failing_since")
        state.attempts = try row.int("attempts")
        state.rejections = try row.int("refusals")
        state.nextAttempt = try row.optionalInteger("next_attempt")
        state.lastError = try row.optionalText("last_error")
        return state
    }

    static func noteSuccess(_ recipient: String, at now: Int64, in database: Connection) throws {
        try database.run(
            """
            INSERT INTO line (name, sent) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET sent = ?2, failing_since = NULL,
                attempts = 0, refusals = 0, next_attempt = NULL, last_error = NULL
            """, .text(recipient), .integer(now))
    }

    static func note(_ failure: FailedAttempt, of recipient: String, in database: Connection) throws {
        try database.run(
            """
            INSERT INTO line (name, failing_since, attempts, refusals, next_attempt, last_error)
            VALUES (?1, ?2, 1, ?3, ?4, ?5)
            ON CONFLICT DO UPDATE SET failing_since = coalesce(failing_since, ?2), attempts = attempts + 1,
                refusals = refusals + ?3, next_attempt = ?4, last_error = ?5
            """, .text(recipient), .integer(failure.at), .integer(failure.isRejection ? 1 : 0), .integer(failure.next),
            .text(failure.error))
    }

    static func migrateRecipients(_ recipients: [String: [String]], in database: Connection) throws -> [String] {
        let known = Set(recipients.values.joined())
        let present = try database.all(
            "SELECT line FROM telling UNION SELECT line FROM heard UNION SELECT name FROM line", row: { $0.text(0) })
        var forgotten: [String] = []
        for name in present where !known.contains(name) {
            for recipient in recipients[name] ?? [] {
                try database.run(
                    """
                    INSERT INTO telling (line, incident, change, created)
                    SELECT ?, incident, change, created FROM telling WHERE line = ? ORDER BY id
                    """, .text(recipient), .text(name))
                try database.run(
                    """
                    INSERT OR IGNORE INTO heard (line, incident, severity, is_acknowledged, thread, cause, at)
                    SELECT ?, incident, severity, is_acknowledged, thread, cause, at FROM heard WHERE line = ?
                    """, .text(recipient), .text(name))
            }
            if recipients[name] == nil { forgotten.append(name) }
            try database.run("DELETE FROM telling WHERE line = ?", .text(name))
            try database.run("DELETE FROM heard WHERE line = ?", .text(name))
            try database.run("DELETE FROM told_cause WHERE line = ?", .text(name))
            try database.run("DELETE FROM line WHERE name = ?", .text(name))
        }
        // Incidents that are no longer tracked will not resolve.
        try database.run(
            """
            DELETE FROM heard WHERE incident NOT IN (SELECT incident FROM escalation)
                AND incident NOT IN (SELECT incident FROM telling)
            """)
        return forgotten
    }
}
