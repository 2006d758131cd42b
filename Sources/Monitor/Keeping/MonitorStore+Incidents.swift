import SQLite

/// Incidents and what was done about them.
extension MonitorStore {
    /// As it is now, whether it is known or not.
    static let keepIncident: StaticString = """
        INSERT INTO incident (id, key, node, is_open, is_told, opened, resolved, body)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET is_open = excluded.is_open, is_told = excluded.is_told,
            resolved = excluded.resolved, body = excluded.body
        """
    static let keepChange: StaticString = "INSERT OR IGNORE INTO incident_change VALUES (?, ?, ?, ?, ?, ?, ?)"

    /// What writes down what changed. The same again changes nothing.
    static func recording(
        _ changes: [IncidentChange], told: [String: Bool]
    ) throws -> @Sendable (Connection) throws -> Void {
        // As they are in the end, those that ended first: a batch that is written again may open a key anew.
        let last = Dictionary(changes.map { ($0.incident.id, $0.incident) }) { $1 }
        let rows = try last.values.sorted { ($0.resolved == nil ? 1 : 0, $0.id) < ($1.resolved == nil ? 1 : 0, $1.id) }
            .map { (incident: $0, body: try encode($0)) }
        return { db in
            for (incident, body) in rows {
                try db.run(
                    keepIncident, .integer(incident.id), .text(incident.key), incident.node.map { .text($0) } ?? .null,
                    .integer(incident.resolved == nil ? 1 : 0), .integer(told[incident.key] ?? true ? 1 : 0),
                    .integer(incident.opened), incident.resolved.map { .integer($0) } ?? .null, .text(body))
            }
            for change in changes {
                let incident = change.incident
                let isAnswer = change.kind == .acknowledged
                try db.run(
                    keepChange, .integer(incident.id),
                    .integer(change.at), .text(change.kind.rawValue), .text(incident.severity.rawValue),
                    incident.hiddenBy.map { .text($0) } ?? .null,
                    isAnswer ? incident.acknowledged.map { .text($0.by) } ?? .null : .null,
                    isAnswer ? incident.acknowledged?.note.map { .text($0) } ?? .null : .null)
            }
        }
    }

    /// Newest first.
    func incidents(of node: String? = nil, before id: Int64?, most: Int) async throws -> [Incident] {
        try await ledger.read { db in
            try db.all(
                """
                SELECT body FROM incident WHERE id < ?1 AND (?2 IS NULL OR node = ?2) ORDER BY id DESC LIMIT ?3
                """, .integer(id ?? .max), node.map { .text($0) } ?? .null, .integer(Int64(most))
            ) { try Self.decode($0.text(0)) }
        }
    }

    package struct TimelineLine: Codable, Equatable, Sendable {
        package var at: Int64
        package var kind: String
        package var severity: Severity
        package var hiddenBy: String?
        package var by: String?
        package var note: String?
    }

    func incident(_ id: Int64) async throws -> (Incident, [TimelineLine])? {
        try await ledger.read { db in
            guard
                let incident: Incident = try db.first(
                    "SELECT body FROM incident WHERE id = ?", .integer(id), row: { try Self.decode($0.text(0)) })
            else { return nil }
            let lines = try db.all(
                """
                SELECT at, kind, severity, hidden_by, by, note FROM incident_change WHERE incident = ? ORDER BY at, rowid
                """, .integer(id)
            ) { row in
                TimelineLine(
                    at: row.integer(0), kind: row.text(1), severity: Severity(rawValue: row.text(2)) ?? .warning,
                    hiddenBy: row.isNull(3) ? nil : row.text(3), by: row.isNull(4) ? nil : row.text(4),
                    note: row.isNull(5) ? nil : row.text(5))
            }
            return (incident, lines)
        }
    }

    // MARK: Silences and planned work

    func add(_ silence: Silence) async throws {
        let body = try Self.encode(silence)
        _ = try await ledger.write { db in
            try db.run(
                "INSERT INTO silence VALUES (?, ?, ?)", .integer(silence.id), .integer(silence.until), .text(body))
        }
    }

    func removeSilence(_ id: Int64) async throws {
        _ = try await ledger.write { db in try db.run("DELETE FROM silence WHERE id = ?", .integer(id)) }
    }

    func add(_ lease: Lease) async throws {
        try await ledger.write { db in try Self.add(lease, db) }
    }

    private static func add(_ lease: Lease, _ db: Connection) throws {
        try db.run(
            "INSERT INTO lease VALUES (?, ?, ?)", .integer(lease.id), .integer(lease.until), .text(try encode(lease)))
    }

    func removeLease(_ id: Int64) async throws {
        _ = try await ledger.write { db in try db.run("DELETE FROM lease WHERE id = ?", .integer(id)) }
    }

    func add(_ plan: Plan) async throws {
        try await ledger.write { db in
            _ = try db.run("INSERT INTO plan VALUES (?, ?)", .integer(plan.id), .text(try Self.encode(plan)))
        }
    }

    /// Its work begins; nil when it is over already. What comes once is no plan any more.
    func begin(_ plan: Plan, _ lease: Lease?) async throws {
        try await ledger.write { db in
            if plan.isWeekly {
                try db.run("UPDATE plan SET body = ? WHERE id = ?", .text(try Self.encode(plan)), .integer(plan.id))
            } else {
                try db.run("DELETE FROM plan WHERE id = ?", .integer(plan.id))
            }
            if let lease { try Self.add(lease, db) }
        }
    }

    func removePlan(_ id: Int64) async throws {
        _ = try await ledger.write { db in try db.run("DELETE FROM plan WHERE id = ?", .integer(id)) }
    }
}
