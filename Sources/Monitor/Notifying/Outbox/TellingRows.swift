import FoundationEssentials
import SQLite

/// Changes that wait: how they get in, and how their number stays bounded.
enum TellingRows {
    /// - Returns: The lines that have something new to hear.
    static func insert(
        _ tellings: [Telling], for lines: [String: [String]], at now: Int64, limit: Int, in database: Connection
    ) throws -> Set<String> {
        guard !tellings.isEmpty else { return [] }
        let encoder = JSONEncoder()
        var told: Set<String> = []
        for telling in tellings {
            let change = String(decoding: try encoder.encode(telling.change), as: UTF8.self)
            let incident = telling.change.incident.id
            for line in lines[telling.channel] ?? [] {
                told.insert(line)
                if telling.change.kind == .reminded { try dropReminders(of: incident, line, in: database) }
                try database.run(
                    "INSERT INTO telling (line, incident, change, created) VALUES (?, ?, ?, ?)", .text(line),
                    .integer(incident), .text(change), .integer(now))
            }
        }
        let count = try database.first("SELECT count(*) FROM telling", row: { $0.int(0) }) ?? 0
        // The newest says best what is the matter.
        if count > limit {
            try database.run(
                "DELETE FROM telling WHERE id IN (SELECT id FROM telling ORDER BY id LIMIT ?)",
                .integer(count - limit))
        }
        return told
    }

    /// A channel that does not work for a week would have thousands of them.
    private static func dropReminders(of incident: Int64, _ line: String, in database: Connection) throws {
        try database.run(
            "DELETE FROM telling WHERE line = ? AND incident = ? AND change ->> '$.kind' = 'reminded'", .text(line),
            .integer(incident))
    }
}
