import Crypto
import FoundationEssentials
package import SQLite
import Wire

/// The monitor's database. Maps rows to values; evaluates nothing.
package final class MonitorStore: Sendable {
    package let database: Database
    /// The tables that only the serving program writes.
    package let alerts: AlertDatabase

    /// `gathering`: Milliseconds that a heartbeat waits for others to share its commit. A commit costs more than all
    /// other work for a heartbeat, and its sender does not wait for the response.
    package init(path: String, gathering: Int = 0) throws {
        database = try Database(path: path, migrations: MonitorSchema.migrations, commitDelay: gathering)
        alerts = AlertDatabase(file: database, migrations: MonitorSchema.migrations)
    }

    /// A node that may push.
    struct StoredNode: Sendable {
        var id: Int64
        var name: MonitoredNode
        var tokenHash: [UInt8]
        var persisted: PersistedNodeState
    }

    /// The state from which evaluation continues after a restart.
    struct LoadedState: Sendable {
        var nodes: [StoredNode]
        var incidents: IncidentRegistry
        var silences: [Silence]
        var maintenanceWindows: [MaintenanceWindow]
        var plans: [MaintenancePlan]
    }

    /// Loads the state. `now`: Unix milliseconds. A clock that was set back revives no expired maintenance window or
    /// silence.
    func load(now: Int64) async throws -> LoadedState {
        try await database.read(lasting: .long) { db in
            let nodes = try Self.nodes(db)
            let latest = max(now, nodes.compactMap(\.persisted.lastBeat).max() ?? now)
            return LoadedState(
                nodes: nodes, incidents: try Self.incidents(db, now: now),
                silences: try db.all("SELECT body FROM silence WHERE until > ?", .integer(latest)) {
                    try Self.decode($0.text(0))
                },
                maintenanceWindows: try db.all("SELECT body FROM lease WHERE until > ?", .integer(latest)) {
                    try Self.decode($0.text(0))
                },
                plans: try db.all("SELECT body FROM plan ORDER BY id") { try Self.decode($0.text(0)) })
        }
    }

    private static func incidents(_ db: Connection, now: Int64) throws -> IncidentRegistry {
        IncidentRegistry(
            open: try db.all("SELECT body, is_told FROM incident WHERE is_open = 1") { row in
                IncidentRegistry.Entry(incident: try decode(row.text(0)), isNotified: row.int(1) == 1)
            },
            openings: try db.all(
                "SELECT key, opened FROM incident WHERE opened > ? ORDER BY id",
                .integer(now - IncidentRegistry.flapWindow)
            ) { ($0.text(0), $0.integer(1)) },
            nextID: (try db.first("SELECT MAX(id) FROM incident") { $0.integer(0) } ?? 0) + 1)
    }

    /// Returns the nodes that may push, without their persisted state; nil when the list still has this `version`.
    func nodeList(since version: Int64) async throws -> (nodes: [StoredNode], version: Int64)? {
        try await database.read { db in
            let present = try db.first("SELECT version FROM roster") { $0.integer(0) } ?? 0
            guard present != version else { return nil }
            let nodes = try db.all("SELECT id, name, region, token_hash, every, added FROM node") { row in
                StoredNode(
                    id: row.integer(0), name: Self.nodeName(row, every: 4), tokenHash: row.blob(3),
                    persisted: PersistedNodeState()
                )
            }
            return (nodes, present)
        }
    }

    /// Loads each node's persisted state, and the heartbeats received after it was written.
    private static func nodes(_ db: Connection) throws -> [StoredNode] {
        var nodes: [Int64: StoredNode] = [:]
        var latest: Int64 = 0
        try db.forEach("SELECT id, name, region, token_hash, memory, kept, every, added FROM node") { row in
            let persisted: PersistedNodeState? = row.isNull(4) ? nil : try? decode(row.text(4))
            latest = max(latest, row.integer(5))
            nodes[row.integer(0)] = StoredNode(
                id: row.integer(0), name: nodeName(row, every: 6), tokenHash: row.blob(3),
                persisted: persisted ?? PersistedNodeState())
        }
        // All active nodes are written each minute, so that what is missing came after the latest write.
        try db.forEach(
            """
            SELECT node, at, boot, sequence, epoch, audit_sequence, audit_head FROM beat WHERE at > ? ORDER BY at
            """, .integer(latest - 120_000)
        ) { row in
            guard var node = nodes[row.integer(0)], row.integer(1) > node.persisted.lastBeat ?? 0 else { return }
            node.persisted.lastBeat = row.integer(1)
            if let sequence = row.optionalInteger(3), !row.isNull(2) {
                _ = node.persisted.take(boot: row.text(2), sequence: sequence)
            }
            if let sequence = row.optionalInteger(5), !row.isNull(6) {
                // A checkpoint that broke the chain was reported, and is compared with the one before it.
                _ = node.persisted.recordCheckpoint(
                    AuditCheckpoint(epoch: row.integer(4), sequence: sequence, head: row.text(6)))
            }
            nodes[node.id] = node
        }
        return nodes.values.sorted { $0.id < $1.id }
    }

    /// Reads a node from the columns name and region at 1, and every and added at `every`.
    private static func nodeName(_ row: Row, every: Int) -> MonitoredNode {
        MonitoredNode(
            row.text(1), region: row.isNull(2) ? nil : row.text(2), every: row.optionalInteger(every),
            added: row.integer(every + 1))
    }

    /// Runs a trivial query, which shows that the database responds.
    package func ping() async throws {
        _ = try await database.read { db in try db.first("SELECT 1") { $0.integer(0) } }
    }

    // MARK: Nodes

    /// - Throws: `StoreError.nameTaken`.
    package func addNode(_ node: MonitoredNode, tokenHash: [UInt8], now: Int64) async throws {
        try await database.write { db in
            let exists = try db.first("SELECT 1 FROM node WHERE name = ?", .text(node.name)) { _ in true } ?? false
            guard !exists else { throw StoreError.nameTaken(node.name) }
            try db.run(
                "INSERT INTO node (name, region, token_hash, added, every) VALUES (?, ?, ?, ?, ?)", .text(node.name),
                node.region.map { .text($0) } ?? .null, .blob(tokenHash), .integer(now), .integer(node.every))
        }
    }

    /// Sets a node's heartbeat interval in milliseconds; nil for the fleet's interval.
    ///
    /// - Throws: `StoreError.noSuchNode`.
    package func setInterval(of name: String, to every: Int64?) async throws {
        try await database.write { db in
            let changed = try db.run(
                "UPDATE node SET every = ? WHERE name = ?", .integer(every), .text(name))
            guard changed == 1 else { throw StoreError.noSuchNode(name) }
        }
    }

    /// Renames a node; its history stays.
    ///
    /// - Throws: `StoreError`.
    package func renameNode(_ name: String, to next: String) async throws {
        try await database.write { db in
            let exists = try db.first("SELECT 1 FROM node WHERE name = ?", .text(next)) { _ in true } ?? false
            guard !exists else { throw StoreError.nameTaken(next) }
            let changed = try db.run("UPDATE node SET name = ? WHERE name = ?", .text(next), .text(name))
            guard changed == 1 else { throw StoreError.noSuchNode(name) }
            try db.run("UPDATE incident SET node = ? WHERE node = ?", .text(next), .text(name))
            try Self.renameReferences([name: next], db)
        }
    }

    /// Renames a node in silences, maintenance windows and plans.
    private static func renameReferences(_ names: [String: String], _ db: Connection) throws {
        func rename<Work: NodeReferencing>(_: Work.Type, _ select: StaticString, _ update: StaticString) throws {
            for (id, body) in try db.all(select, row: { ($0.integer(0), $0.text(1)) }) {
                var work: Work = try decode(body)
                work.rename(names)
                try db.run(update, .text(try encode(work)), .integer(id))
            }
        }
        try rename(Silence.self, "SELECT id, body FROM silence", "UPDATE silence SET body = ? WHERE id = ?")
        try rename(MaintenanceWindow.self, "SELECT id, body FROM lease", "UPDATE lease SET body = ? WHERE id = ?")
        try rename(MaintenancePlan.self, "SELECT id, body FROM plan", "UPDATE plan SET body = ? WHERE id = ?")
    }

    /// Replaces a node's token.
    ///
    /// - Throws: `StoreError.noSuchNode`.
    package func renewToken(of name: String, tokenHash: [UInt8]) async throws {
        try await database.write { db in
            let changed = try db.run(
                "UPDATE node SET token_hash = ? WHERE name = ?", .blob(tokenHash), .text(name))
            guard changed == 1 else { throw StoreError.noSuchNode(name) }
        }
    }

    /// - Throws: `StoreError.noSuchNode`.
    package func removeNode(_ name: String) async throws {
        try await database.write { db in
            guard let id = try db.first("SELECT id FROM node WHERE name = ?", .text(name), row: { $0.integer(0) })
            else { throw StoreError.noSuchNode(name) }
            try Self.remove(id, db)
        }
    }

    static func remove(_ node: Int64, _ db: Connection) throws {
        try db.run("DELETE FROM beat WHERE node = ?", .integer(node))
        try db.run("DELETE FROM minute WHERE node = ?", .integer(node))
        try db.run("DELETE FROM hour WHERE node = ?", .integer(node))
        try db.run("DELETE FROM node WHERE id = ?", .integer(node))
    }

    package func nodeNames() async throws -> [MonitoredNode] {
        try await database.read { db in
            try db.all("SELECT id, name, region, every, added FROM node ORDER BY name") { Self.nodeName($0, every: 3) }
        }
    }

    // MARK: JSON in columns

    static func encode(_ value: some Encodable) throws -> String {
        String(decoding: try JSONEncoder().encode(value), as: UTF8.self)
    }

    static func decode<Value: Decodable>(_ text: String) throws -> Value {
        try JSONDecoder().decode(Value.self, from: Data(text.utf8))
    }
}
