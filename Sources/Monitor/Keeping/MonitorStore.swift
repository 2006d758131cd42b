import Crypto
import FoundationEssentials
package import SQLite
import Wire

/// Everything that the monitor keeps. Knows rows; judges nothing.
package final class MonitorStore: Sendable {
    package let database: Database
    /// Of what is here, all that only the serving program writes.
    package let ledger: Ledger

    /// `gathering`: For how many milliseconds a beat waits for others to share its commit. A commit costs more than all
    /// else that is done for a beat, and nobody waits for its answer.
    package init(path: String, gathering: Int = 0) throws {
        database = try Database(path: path, migrations: MonitorSchema.migrations, commitDelay: gathering)
        ledger = Ledger(file: database, migrations: MonitorSchema.migrations)
    }

    /// A node that may push.
    struct StoredNode: Sendable {
        var id: Int64
        var name: NodeName
        var tokenHash: [UInt8]
        var memory: NodeMemory
    }

    /// What the judgement goes on with after a restart.
    struct Kept: Sendable {
        var nodes: [StoredNode]
        var incidents: IncidentBook
        var silences: [Silence]
        var leases: [Lease]
        var plans: [Plan]
    }

    /// `now`: Unix milliseconds. A clock that was set back revives no lease and no silence that was over.
    func load(now: Int64) async throws -> Kept {
        try await database.read(lasting: .long) { db in
            let nodes = try Self.nodes(db)
            let latest = max(now, nodes.compactMap(\.memory.lastBeat).max() ?? now)
            return Kept(
                nodes: nodes, incidents: try Self.incidents(db, now: now),
                silences: try db.all("SELECT body FROM silence WHERE until > ?", .integer(latest)) {
                    try Self.decode($0.text(0))
                },
                leases: try db.all("SELECT body FROM lease WHERE until > ?", .integer(latest)) {
                    try Self.decode($0.text(0))
                },
                plans: try db.all("SELECT body FROM plan ORDER BY id") { try Self.decode($0.text(0)) })
        }
    }

    private static func incidents(_ db: Connection, now: Int64) throws -> IncidentBook {
        IncidentBook(
            open: try db.all("SELECT body, is_told FROM incident WHERE is_open = 1") { row in
                IncidentBook.Entry(incident: try decode(row.text(0)), isTold: row.int(1) == 1)
            },
            openings: try db.all(
                "SELECT key, opened FROM incident WHERE opened > ? ORDER BY id", .integer(now - IncidentBook.flapSpan)
            ) { ($0.text(0), $0.integer(1)) },
            nextID: (try db.first("SELECT MAX(id) FROM incident") { $0.integer(0) } ?? 0) + 1)
    }

    /// Who may push, without what is remembered of them; nil when that is still `version`.
    func roster(since version: Int64) async throws -> (nodes: [StoredNode], version: Int64)? {
        try await database.read { db in
            let present = try db.first("SELECT version FROM roster") { $0.integer(0) } ?? 0
            guard present != version else { return nil }
            let nodes = try db.all("SELECT id, name, region, token_hash, every, added FROM node") { row in
                StoredNode(
                    id: row.integer(0), name: Self.nodeName(row, every: 4), tokenHash: row.blob(3), memory: NodeMemory()
                )
            }
            return (nodes, present)
        }
    }

    /// Each with what it remembered when it was last written down, and the beats that came after that.
    private static func nodes(_ db: Connection) throws -> [StoredNode] {
        var nodes: [Int64: StoredNode] = [:]
        var latest: Int64 = 0
        try db.forEach("SELECT id, name, region, token_hash, memory, kept, every, added FROM node") { row in
            let memory: NodeMemory? = row.isNull(4) ? nil : try? decode(row.text(4))
            latest = max(latest, row.integer(5))
            nodes[row.integer(0)] = StoredNode(
                id: row.integer(0), name: nodeName(row, every: 6), tokenHash: row.blob(3),
                memory: memory ?? NodeMemory())
        }
        // All that beat are written down each minute, so that what is missing came after the latest of them.
        try db.forEach(
            """
            SELECT node, at, boot, sequence, epoch, audit_sequence, audit_head FROM beat WHERE at > ? ORDER BY at
            """, .integer(latest - 120_000)
        ) { row in
            guard var node = nodes[row.integer(0)], row.integer(1) > node.memory.lastBeat ?? 0 else { return }
            node.memory.lastBeat = row.integer(1)
            if let sequence = row.optionalInteger(3), !row.isNull(2) {
                _ = node.memory.take(boot: row.text(2), sequence: sequence)
            }
            if let sequence = row.optionalInteger(5), !row.isNull(6) {
                // A broken one was told of, and is held against what was before it.
                _ = node.memory.witnessed(AuditWitness(epoch: row.integer(4), sequence: sequence, head: row.text(6)))
            }
            nodes[node.id] = node
        }
        return nodes.values.sorted { $0.id < $1.id }
    }

    /// From the columns name and region at 1, and every and added at `every`.
    private static func nodeName(_ row: Row, every: Int) -> NodeName {
        NodeName(
            row.text(1), region: row.isNull(2) ? nil : row.text(2), every: row.optionalInteger(every),
            added: row.integer(every + 1))
    }

    /// Returns when a reader could be had and answered.
    package func ping() async throws {
        _ = try await database.read { db in try db.first("SELECT 1") { $0.integer(0) } }
    }

    // MARK: Nodes

    /// - Throws: `StoreRefusal.nameTaken`.
    package func addNode(_ node: NodeName, tokenHash: [UInt8], now: Int64) async throws {
        try await database.write { db in
            let isTaken = try db.first("SELECT 1 FROM node WHERE name = ?", .text(node.name)) { _ in true } ?? false
            guard !isTaken else { throw StoreRefusal.nameTaken(node.name) }
            try db.run(
                "INSERT INTO node (name, region, token_hash, added, every) VALUES (?, ?, ?, ?, ?)", .text(node.name),
                node.region.map { .text($0) } ?? .null, .blob(tokenHash), .integer(now), .integer(node.every))
        }
    }

    /// How often it beats from now on, in milliseconds; nil for the fleet's usual.
    ///
    /// - Throws: `StoreRefusal.noSuchNode`.
    package func setInterval(of name: String, to every: Int64?) async throws {
        try await database.write { db in
            let changed = try db.run(
                "UPDATE node SET every = ? WHERE name = ?", .integer(every), .text(name))
            guard changed == 1 else { throw StoreRefusal.noSuchNode(name) }
        }
    }

    /// Another name; its history stays its own.
    ///
    /// - Throws: `StoreRefusal`.
    package func renameNode(_ name: String, to next: String) async throws {
        try await database.write { db in
            let isTaken = try db.first("SELECT 1 FROM node WHERE name = ?", .text(next)) { _ in true } ?? false
            guard !isTaken else { throw StoreRefusal.nameTaken(next) }
            let changed = try db.run("UPDATE node SET name = ? WHERE name = ?", .text(next), .text(name))
            guard changed == 1 else { throw StoreRefusal.noSuchNode(name) }
            try db.run("UPDATE incident SET node = ? WHERE node = ?", .text(next), .text(name))
            try Self.renameInWork([name: next], db)
        }
    }

    /// What people planned for a node, or do not want to hear of it, goes on under its next name.
    private static func renameInWork(_ names: [String: String], _ db: Connection) throws {
        func rename<Work: NamesNodes>(_: Work.Type, _ select: StaticString, _ update: StaticString) throws {
            for (id, body) in try db.all(select, row: { ($0.integer(0), $0.text(1)) }) {
                var work: Work = try decode(body)
                work.rename(names)
                try db.run(update, .text(try encode(work)), .integer(id))
            }
        }
        try rename(Silence.self, "SELECT id, body FROM silence", "UPDATE silence SET body = ? WHERE id = ?")
        try rename(Lease.self, "SELECT id, body FROM lease", "UPDATE lease SET body = ? WHERE id = ?")
        try rename(Plan.self, "SELECT id, body FROM plan", "UPDATE plan SET body = ? WHERE id = ?")
    }

    /// Another token from now on.
    ///
    /// - Throws: `StoreRefusal.noSuchNode`.
    package func renewToken(of name: String, tokenHash: [UInt8]) async throws {
        try await database.write { db in
            let changed = try db.run(
                "UPDATE node SET token_hash = ? WHERE name = ?", .blob(tokenHash), .text(name))
            guard changed == 1 else { throw StoreRefusal.noSuchNode(name) }
        }
    }

    /// - Throws: `StoreRefusal.noSuchNode`.
    package func removeNode(_ name: String) async throws {
        try await database.write { db in
            guard let id = try db.first("SELECT id FROM node WHERE name = ?", .text(name), row: { $0.integer(0) })
            else { throw StoreRefusal.noSuchNode(name) }
            try Self.remove(id, db)
        }
    }

    static func remove(_ node: Int64, _ db: Connection) throws {
        try db.run("DELETE FROM beat WHERE node = ?", .integer(node))
        try db.run("DELETE FROM minute WHERE node = ?", .integer(node))
        try db.run("DELETE FROM hour WHERE node = ?", .integer(node))
        try db.run("DELETE FROM node WHERE id = ?", .integer(node))
    }

    package func nodeNames() async throws -> [NodeName] {
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

package enum StoreRefusal: Error, Equatable, CustomStringConvertible, Sendable {
    case nameTaken(String)
    case noSuchNode(String)
    /// On the disk; nothing was tried.
    case noRoom

    package var description: String {
        switch self {
        case .nameTaken(let name): "There is a \(name) already. Its token is renewed by `node renew \(name)`."
        case .noSuchNode(let name): "There is no node \(name). `node list` shows those that there are."
        case .noRoom: "The disk is full."
        }
    }
}
