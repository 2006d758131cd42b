import SQLite

/// How one line fares. Times are Unix milliseconds.
package struct LineState: Equatable, Sendable {
    /// When it last took something.
    package var sent: Int64?
    /// Since when it has taken nothing that was tried.
    package var failingSince: Int64?
    /// In a row that failed.
    package var attempts = 0
    /// Those of them that were answered with a no.
    package var refusals = 0
    package var nextAttempt: Int64?
    package var lastError: String?
    package var waiting = 0
    package var waitingSince: Int64?

    package init() {}
}

/// What is to be kept of an attempt that failed.
struct LineFailure: Sendable {
    var error: String
    var isRefusal: Bool
    var at: Int64
    var next: Int64
    /// Whether the tellings themselves may be the fault: they are tried alone from now on, and let others pass.
    var setsAside: Bool
}

enum LineRows {
    static func load(_ line: String, from database: Connection) throws -> LineState {
        try database.first(
            "SELECT sent, failing_since, attempts, refusals, next_attempt, last_error FROM line WHERE name = ?",
            .text(line), row: { state($0, from: 0) }) ?? LineState()
    }

    static func all(in database: Connection) throws -> [String: LineState] {
        let rows = try database.all(
            "SELECT name, sent, failing_since, attempts, refusals, next_attempt, last_error FROM line",
            row: { ($0.text(0), state($0, from: 1)) })
        var states = Dictionary(uniqueKeysWithValues: rows)
        try database.forEach("SELECT line, count(*), min(created) FROM telling GROUP BY line") { row in
            states[row.text(0), default: LineState()].waiting = row.int(1)
            states[row.text(0), default: LineState()].waitingSince = row.integer(2)
        }
        return states
    }

    private static func state(_ row: Row, from first: Int) -> LineState {
        var state = LineState()
        state.sent = row.optionalInteger(first)
        state.failingSince = row.optionalInteger(first + 1)
        state.attempts = row.int(first + 2)
        state.refusals = row.int(first + 3)
        state.nextAttempt = row.optionalInteger(first + 4)
        state.lastError = row.isNull(first + 5) ? nil : row.text(first + 5)
        return state
    }

    static func noteSuccess(_ line: String, at now: Int64, in database: Connection) throws {
        try database.run(
            """
            INSERT INTO line (name, sent) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET sent = ?2, failing_since = NULL,
                attempts = 0, refusals = 0, next_attempt = NULL, last_error = NULL
            """, .text(line), .integer(now))
    }

    static func note(_ failure: LineFailure, of line: String, in database: Connection) throws {
        try database.run(
            """
            INSERT INTO line (name, failing_since, attempts, refusals, next_attempt, last_error)
            VALUES (?1, ?2, 1, ?3, ?4, ?5)
            ON CONFLICT DO UPDATE SET failing_since = coalesce(failing_since, ?2), attempts = attempts + 1,
                refusals = refusals + ?3, next_attempt = ?4, last_error = ?5
            """, .text(line), .integer(failure.at), .integer(failure.isRefusal ? 1 : 0), .integer(failure.next),
            .text(failure.error))
    }

    static func adopt(_ lines: [String: [String]], in database: Connection) throws -> [String] {
        let known = Set(lines.values.joined())
        let present = try database.all(
            "SELECT line FROM telling UNION SELECT line FROM heard UNION SELECT name FROM line", row: { $0.text(0) })
        var forgotten: [String] = []
        for name in present where !known.contains(name) {
            for line in lines[name] ?? [] {
                try database.run(
                    """
                    INSERT INTO telling (line, incident, change, created)
                    SELECT ?, incident, change, created FROM telling WHERE line = ? ORDER BY id
                    """, .text(line), .text(name))
                try database.run(
                    """
                    INSERT OR IGNORE INTO heard (line, incident, severity, is_acknowledged, thread, cause, at)
                    SELECT ?, incident, severity, is_acknowledged, thread, cause, at FROM heard WHERE line = ?
                    """, .text(line), .text(name))
            }
            if lines[name] == nil { forgotten.append(name) }
            try database.run("DELETE FROM telling WHERE line = ?", .text(name))
            try database.run("DELETE FROM heard WHERE line = ?", .text(name))
            try database.run("DELETE FROM told_cause WHERE line = ?", .text(name))
            try database.run("DELETE FROM line WHERE name = ?", .text(name))
        }
        // Nobody will hear the end of what is not followed any more.
        try database.run(
            """
            DELETE FROM heard WHERE incident NOT IN (SELECT incident FROM escalation)
                AND incident NOT IN (SELECT incident FROM telling)
            """)
        return forgotten
    }
}
