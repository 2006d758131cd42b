import FoundationEssentials
import SQLite

/// What lies before one line.
enum DeskRows {
    /// Read at once. What is behind them waits until these are told.
    private static let most = 2_000

    static func load(_ line: String, from database: Connection) throws -> Desk {
        var desk = Desk(state: try LineRows.load(line, from: database))
        try database.forEach(
            "SELECT id, change, created, attempts, next_attempt FROM telling WHERE line = ? ORDER BY id LIMIT ?",
            .text(line), .integer(most)
        ) { row in
            // One that another version wrote in a way that this one cannot read says nothing to anybody.
            guard let change = try? JSONDecoder().decode(IncidentChange.self, from: Data(row.text(1).utf8)) else {
                return desk.unreadable.append(row.integer(0))
            }
            desk.waiting.append(
                Waiting(
                    id: row.integer(0), change: change, created: row.integer(2), attempts: row.int(3),
                    nextAttempt: row.optionalInteger(4)))
        }
        try database.forEach(
            "SELECT incident, severity, is_acknowledged, thread, cause, at FROM heard WHERE line = ?", .text(line)
        ) { row in
            desk.heard[row.integer(0)] = Heard(
                severity: Severity(rawValue: row.text(1)) ?? .warning, isAcknowledged: row.int(2) == 1,
                thread: row.text(3), cause: row.text(4), at: row.integer(5))
        }
        try database.forEach("SELECT cause, at FROM told_cause WHERE line = ?", .text(line)) { row in
            desk.toldCauses[row.text(0)] = row.integer(1)
        }
        return desk
    }

    static func settle(_ parcels: [Parcel], of line: String, at now: Int64, in database: Connection) throws {
        for parcel in parcels {
            for id in parcel.tellings { try database.run("DELETE FROM telling WHERE id = ?", .integer(id)) }
            for incident in parcel.over {
                try database.run(
                    "DELETE FROM heard WHERE line = ? AND incident = ?", .text(line), .integer(incident))
            }
            for (incident, heard) in parcel.heard {
                try database.run(
                    "INSERT OR REPLACE INTO heard VALUES (?, ?, ?, ?, ?, ?, ?)", .text(line), .integer(incident),
                    .text(heard.severity.rawValue), .integer(heard.isAcknowledged ? 1 : 0), .text(heard.thread),
                    .text(heard.cause), .integer(heard.at))
            }
            for change in parcel.changes {
                try database.run(
                    "INSERT OR REPLACE INTO told_cause VALUES (?, ?, ?)", .text(line),
                    .text(change.incident.cause), .integer(now))
            }
        }
        try database.run("DELETE FROM told_cause WHERE line = ? AND at < ?", .text(line), .integer(now - 86_400_000))
        if parcels.contains(where: { !$0.changes.isEmpty }) { try LineRows.noteSuccess(line, at: now, in: database) }
    }

    static func postpone(
        _ parcels: [Parcel], of line: String, _ failure: LineFailure, in database: Connection
    ) throws {
        try LineRows.note(failure, of: line, in: database)
        guard failure.setsAside else { return }
        for id in parcels.flatMap(\.tellings) {
            try database.run(
                "UPDATE telling SET attempts = attempts + 1, next_attempt = ? WHERE id = ?", .integer(failure.next),
                .integer(id))
        }
    }
}
