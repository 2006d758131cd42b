import SQLite

/// Stores incidents, their timelines, silences, maintenance windows and plans.
extension MonitorStore {
    /// Inserts an incident or updates it to its present state.
    static let upsertIncident: StaticString = """
        INSERT INTO incident (id, key, node, is_open, is_told, opened, resolved, body)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET is_open = excluded.is_open, is_told = excluded.is_told,
            resolved = excluded.resolved, body = excluded.body
        """
    static let insertChange: StaticString = "INSERT OR IGNORE INTO incident_change VALUES (?, ?, ?, ?, ?, ?, ?)"

    /// Returns a closure that records the changes. Repeating it has no effect.
    static func makeRecorder(
        _ changes: [IncidentChange], notified: [String: Bool]
    ) throws -> @Sendable (Connection) throws -> Void {
        // The final state of each incident, resolved ones first: a batch that is written again may open a key a second
        // time.
        let last = Dictionary(changes.map { ($0.incident.id, $0.incident) }) { $1 }
        let rows = try last.values.sorted { ($0.resolved == nil ? 1 : 0, $0.id) < ($1.resolved == nil ? 1 : 0, $1.id) }
            .map { (incident: $0, body: try encode($0)) }
        return { db in
            for (incident, body) in rows {
                try db.run(
                    upsertIncident, .integer(incident.id), .text(incident.key),
                    incident.node.map { .text($0) } ?? .null,
                    .integer(incident.resolved == nil ? 1 : 0), .integer(notified[incident.key] ?? true ? 1 : 0),
                    .integer(incident.opened), incident.resolved.map { .integer($0) } ?? .null, .text(body))
            }
            for change in changes {
                let incident = change.incident
                let isAcknowledgement = change.kind == .acknowledged
                try db.run(
                    insertChange, .integer(incident.id),
                    .integer(change.at), .text(change.kind.rawValue), .text(incident.severity.rawValue),
                    incident.inhibitedBy.map { .text($0) } ?? .null,
                    isAcknowledgement ? incident.acknowledged.map { .text($0.by) } ?? .null : .null,
                    isAcknowledgement ? incident.acknowledged?.note.map { .text($0) } ?? .null : .null)
            }
        }
    }

    /// Returns incidents, newest first.
    func incidents(of node: String? = nil, before id: Int64?, limit: Int) async throws -> [Incident] {
        try await alerts.read { db in
            try db.all(
                """
                SELECT body FROM incident WHERE id < ?1 AND (?2 IS NULL OR node = ?2) ORDER BY id DESC LIMIT ?3
                """, .integer(id ?? .max), node.map { .text($0) } ?? .null, .integer(Int64(limit))
            ) { try Self.decode($0.text(0)) }
        }
    }

    package struct TimelineLine: Codable, Equatable, Sendable {
        package var at: Int64
        package var kind: String
        package var severity: Severity
        package var inhibitedBy: String?
        package var by: String?
        package var note: String?
    }

    func incident(_ id: Int64) async throws -> (Incident, [TimelineLine])? {
        try await alerts.read { db in
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
                    at: try row.integer("at"), kind: try row.text("kind"),
                    severity: Severity(rawValue: try row.text("severity")) ?? .warning,
                    inhibitedBy: try row.optionalText("hidden_by"), by: try row.optionalText("by"),
                    note: try row.optionalText("note"))
            }
            return (incident, lines)
        }
    }

    // MARK: Silences and maintenance

    func add(_ silence: Silence) async throws {
        let body = try Self.encode(silence)
        _ = try await alerts.write { db in
            try db.run(
                "INSERT INTO silence VALUES (?, ?, ?)", .integer(silence.id), .integer(silence.until), .text(body))
        }
    }

    func removeSilence(_ id: Int64) async throws {
        _ = try await alerts.write { db in try db.run("DELETE FROM silence WHERE id = ?", .integer(id)) }
    }

    func add(_ window: MaintenanceWindow) async throws {
        try await alerts.write { db in try Self.add(window, db) }
    }

    private static func add(_ window: MaintenanceWindow, _ db: Connection) throws {
        try db.run(
            "INSERT INTO lease VALUES (?, ?, ?)", .integer(window.id), .integer(window.until), .text(try encode(window))
        )
    }

    func removeMaintenanceWindow(_ id: Int64) async throws {
        _ = try await alerts.write { db in try db.run("DELETE FROM lease WHERE id = ?", .integer(id)) }
    }

    func add(_ plan: MaintenancePlan) async throws {
        try await alerts.write { db in
            _ = try db.run("INSERT INTO plan VALUES (?, ?)", .integer(plan.id), .text(try Self.encode(plan)))
        }
    }

    /// Starts a plan's maintenance window; `window` is nil when it is already over. A plan that does not repeat is
    /// deleted.
    func begin(_ plan: MaintenancePlan, _ window: MaintenanceWindow?) async throws {
        try await alerts.write { db in
            if plan.isWeekly {
                try db.run("UPDATE plan SET body = ? WHERE id = ?", .text(try Self.encode(plan)), .integer(plan.id))
            } else {
                try db.run("DELETE FROM plan WHERE id = ?", .integer(plan.id))
            }
            if let window { try Self.add(window, db) }
        }
    }

    func removePlan(_ id: Int64) async throws {
        _ = try await alerts.write { db in try db.run("DELETE FROM plan WHERE id = ?", .integer(id)) }
    }
}
