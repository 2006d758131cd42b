import FoundationEssentials
import SQLite

/// Tracked incidents, one row per open incident.
enum EscalationTable {
    static func load(_ selection: Outbox.Selection, from database: Connection) throws -> Escalation {
        var tracked: [Int64: TrackedIncident] = [:]
        var unreadable: [Int64] = []
        let take = { (row: Row) in
            let id = try row.integer("incident")
            let state = Data(try row.text("state").utf8)
            tracked[id] = try? JSONDecoder().decode(TrackedIncident.self, from: state)
            if tracked[id] == nil { unreadable.append(id) }
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
        // An unreadable incident counts as new: a repeated notification is better than none.
        for id in unreadable { try database.run("DELETE FROM escalation WHERE incident = ?", .integer(id)) }
        return Escalation(tracked: tracked)
    }

    /// Writes rows that differ, or all that were loaded.
    static func save(
        _ after: Escalation, replacing before: Escalation, routes: [Route], includingUnchanged: Bool,
        in database: Connection
    ) throws {
        for id in before.tracked.keys where after.tracked[id] == nil {
            try database.run("DELETE FROM escalation WHERE incident = ?", .integer(id))
        }
        let encoder = JSONEncoder()
        for (id, tracked) in after.tracked where includingUnchanged || before.tracked[id] != tracked {
            let state = String(decoding: try encoder.encode(tracked), as: UTF8.self)
            try database.run(
                "INSERT OR REPLACE INTO escalation (incident, state, next_due) VALUES (?, ?, ?)",
                .integer(id), .text(state), .integer(tracked.nextDue(routes)))
        }
    }

    static func nextDue(in database: Connection) throws -> Int64? {
        try database.first("SELECT min(next_due) FROM escalation WHERE next_due IS NOT NULL") {
            $0.optionalInteger(0)
        } ?? nil
    }
}
