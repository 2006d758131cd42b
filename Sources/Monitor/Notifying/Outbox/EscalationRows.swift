import FoundationEssentials
import SQLite

/// What is followed, one row per open incident.
enum EscalationRows {
    static func load(_ selection: Outbox.Selection, from database: Connection) throws -> Escalation {
        var followed: [Int64: Followed] = [:]
        var unreadable: [Int64] = []
        let take = { (row: Row) in
            let id = row.integer(0)
            followed[id] = try? JSONDecoder().decode(Followed.self, from: Data(row.text(1).utf8))
            if followed[id] == nil { unreadable.append(id) }
        }
        switch selection {
        case .incidents(let ids):
            for id in ids {
                try database.forEach(
                    "SELECT incident, state FROM escalation WHERE incident = ?", .integer(id), row: take)
            }
        case .due(let now):
            try database.forEach(
                "SELECT incident, state FROM escalation WHERE next_due <= ?", .integer(now), row: take)
        case .all:
            try database.forEach("SELECT incident, state FROM escalation", row: take)
        }
        // Such an incident is one that nobody knows: better told twice than never again.
        for id in unreadable { try database.run("DELETE FROM escalation WHERE incident = ?", .integer(id)) }
        return Escalation(followed: followed)
    }

    /// Writes what differs, or everything that was loaded.
    static func keep(
        _ after: Escalation, insteadOf before: Escalation, routes: [Route], evenEqual: Bool, in database: Connection
    ) throws {
        for id in before.followed.keys where after.followed[id] == nil {
            try database.run("DELETE FROM escalation WHERE incident = ?", .integer(id))
        }
        let encoder = JSONEncoder()
        for (id, followed) in after.followed where evenEqual || before.followed[id] != followed {
            let state = String(decoding: try encoder.encode(followed), as: UTF8.self)
            try database.run(
                "INSERT OR REPLACE INTO escalation (incident, state, next_due) VALUES (?, ?, ?)",
                .integer(id), .text(state), .integer(followed.nextDue(routes)))
        }
    }

    static func nextDue(in database: Connection) throws -> Int64? {
        try database.first("SELECT min(next_due) FROM escalation WHERE next_due IS NOT NULL") {
            $0.optionalInteger(0)
        } ?? nil
    }
}
