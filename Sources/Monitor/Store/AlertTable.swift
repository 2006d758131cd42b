import SQLite

/// A table of the alert database: how its rows are copied between file and memory.
struct AlertTable: Sendable {
    private let select: StaticString
    /// Nil for a table of which only the latest rows are copied; the others stay in the file.
    private let clear: StaticString?
    private let insert: StaticString

    func rows(in db: Connection) throws -> [[Value]] { try db.all(select, row: \.values) }

    func replace(with rows: [[Value]], in db: Connection) throws {
        if let clear { try db.run(clear) }
        for row in rows { try db.run(insert, all: row) }
    }

    /// The tables in order. Resolved incidents come first, because a key may have only one open incident at any moment.
    static let all = [
        AlertTable(
            select: """
                SELECT id, key, node, is_open, is_told, opened, resolved, body FROM incident
                WHERE is_open = 1 OR id IN (SELECT id FROM incident ORDER BY id DESC LIMIT 1000) ORDER BY is_open, id
                """,
            clear: nil, insert: MonitorStore.upsertIncident),
        AlertTable(
            select: """
                SELECT incident, at, kind, severity, hidden_by, by, note FROM incident_change WHERE incident IN (
                    SELECT id FROM incident WHERE is_open = 1 OR id IN (
                        SELECT id FROM incident ORDER BY id DESC LIMIT 1000)) ORDER BY rowid
                """,
            clear: nil, insert: MonitorStore.insertChange),
        AlertTable(
            select: "SELECT id, until, body FROM silence", clear: "DELETE FROM silence",
            insert: "INSERT INTO silence VALUES (?, ?, ?)"),
        AlertTable(
            select: "SELECT id, until, body FROM lease", clear: "DELETE FROM lease",
            insert: "INSERT INTO lease VALUES (?, ?, ?)"),
        AlertTable(
            select: "SELECT id, body FROM plan", clear: "DELETE FROM plan", insert: "INSERT INTO plan VALUES (?, ?)"),
        AlertTable(
            select: "SELECT incident, state, next_due FROM escalation", clear: "DELETE FROM escalation",
            insert: "INSERT INTO escalation (incident, state, next_due) VALUES (?, ?, ?)"),
        AlertTable(
            select: "SELECT id, line, incident, change, created, attempts, next_attempt FROM telling ORDER BY id",
            clear: "DELETE FROM telling",
            insert: """
                INSERT INTO telling (id, line, incident, change, created, attempts, next_attempt)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """),
        AlertTable(
            select: "SELECT line, incident, severity, is_acknowledged, thread, cause, at FROM heard",
            clear: "DELETE FROM heard", insert: "INSERT INTO heard VALUES (?, ?, ?, ?, ?, ?, ?)"),
        AlertTable(
            select: "SELECT line, cause, at FROM told_cause", clear: "DELETE FROM told_cause",
            insert: "INSERT INTO told_cause VALUES (?, ?, ?)"),
        AlertTable(
            select: "SELECT name, sent, failing_since, attempts, refusals, next_attempt, last_error FROM line",
            clear: "DELETE FROM line", insert: "INSERT INTO line VALUES (?, ?, ?, ?, ?, ?, ?)"),
    ]
}
