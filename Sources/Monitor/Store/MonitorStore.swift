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
    package struct StoredNode: Sendable {
        package var id: Int64
        package var name: MonitoredNode
        package var tokenHash: [UInt8]
        package var persisted: PersistedNodeState
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
                IncidentRegistry.Entry(incident: try decode(row.text("body")), isNotified: try row.int("is_told") == 1)
            },
            openings: try db.all(
                "SELECT key, opened FROM incident WHERE opened > ? ORDER BY id",
                .integer(now - IncidentRegistry.flapWindow)
            ) { (try $0.text("key"), try $0.integer("opened")) },
            nextID: (try db.first("SELECT MAX(id) FROM incident") { $0.integer(0) } ?? 0) + 1)
    }

    /// Returns the nodes that may push, without their persisted state; nil when the list still has this `version`.
    package func nodeList(since version: Int64) async throws -> (nodes: [StoredNode], version: Int64)? {
        try await database.read { db in
            let present = try db.first("SELECT version FROM roster") { $0.integer(0) } ?? 0
            guard present != version else { return nil }
            let nodes = try db.all("SELECT id, name, region, token_hash, every, added FROM node") { row in
                StoredNode(
                    id: try row.integer("id"), name: try Self.nodeName(row), tokenHash: try row.blob("token_hash"),
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
            let persisted: PersistedNodeState? = try row.isNull("memory") ? nil : try? decode(row.text("memory"))
            latest = max(latest, try row.integer("kept"))
            let id = try row.integer("id")
            nodes[id] = StoredNode(
                id: id, name: try nodeName(row), tokenHash: try row.blob("token_hash"),
                persisted: persisted ?? PersistedNodeState())
        }
        // All active nodes are written each minute, so that what is missing came after the latest write.
        try db.forEach(
            """
            SELECT node, at, boot, sequence, epoch, audit_sequence, audit_head FROM beat WHERE at > ? ORDER BY at
            """, .integer(latest - 120_000)
        ) { row in
            let at = try row.integer("at")
            guard var node = nodes[try row.integer("node")], at > node.persisted.lastBeat ?? 0 else { return }
            node.persisted.lastBeat = at
            if let sequence = try row.optionalInteger("sequence"), let boot = try row.optionalText("boot") {
                _ = node.persisted.take(boot: boot, sequence: sequence)
            }
            // One that broke the chain was reported. Whether one was proven is not stored, so a checkpoint stays.
            if node.persisted.checkpoint == nil, let sequence = try row.optionalInteger("audit_sequence"),
                let head = try row.optionalText("audit_head")
            {
                node.persisted.checkpoint = AuditCheckpoint(
                    epoch: try row.integer("epoch"), sequence: sequence, head: head)
            }
            nodes[node.id] = node
        }
        return nodes.values.sorted { $0.id < $1.id }
    }

    /// Reads a node from the columns name, region, every and added.
    private static func nodeName(_ row: Row) throws -> MonitoredNode {
        MonitoredNode(
            try row.text("name"), region: try row.optionalText("region"), every: try row.optionalInteger("every"),
            added: try row.integer("added"))
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
            for (id, body) in try db.all(select, row: { (try $0.integer("id"), try $0.text("body")) }) {
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
            try db.all("SELECT id, name, region, every, added FROM node ORDER BY name") { try Self.nodeName($0) }
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
