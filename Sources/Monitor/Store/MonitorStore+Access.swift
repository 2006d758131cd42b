import Encoding
import SQLite
package import Wire

/// Applies the nodes and operators that the monitor's configuration lists.
extension MonitorStore {
    /// Purpose that marks listed tokens, as opposed to those made by `token add`.
    static let listedPurpose = "the inventory"
    private static let lifetime: Int64 = 366 * 86_400_000

    /// Makes nodes and tokens match the list: adds, changes, and removes those that an earlier list contained. Nodes
    /// added manually stay, unless the list names them.
    ///
    /// A listed operator that does not exist gets no password: `operator add` sets one, and keeps the listed token.
    ///
    /// `now`: Unix milliseconds.
    package func apply(_ access: MonitorAccess, now: Int64) async throws {
        try await database.write { db in
            let listed = Set(access.nodes.map(\.name))
            for (id, name) in try db.all(
                "SELECT id, name FROM node WHERE declared = 1", row: { (try $0.integer("id"), try $0.text("name")) })
            where !listed.contains(name) {
                try Self.remove(id, db)
            }
            for node in access.nodes { try Self.apply(node, db, now) }
            try db.run("DELETE FROM session WHERE purpose = ?", .text(Self.listedPurpose))
            for entry in access.operators { try Self.apply(entry, db, now) }
        }
    }

    private static func apply(_ node: MonitorAccess.Node, _ db: Connection, _ now: Int64) throws {
        let token = Value.blob(Hexadecimal.decode(node.token) ?? [])
        let every = Value.integer(node.every.map { $0 * 1_000 })
        // Two nodes may have exchanged their tokens: the previous owner of this token gets its own from its own entry.
        try db.run(
            "UPDATE node SET token_hash = randomblob(32) WHERE token_hash = ? AND name <> ?", token, .text(node.name))
        let exists = try db.first("SELECT 1 FROM node WHERE name = ?", .text(node.name)) { _ in true } ?? false
        if exists {
            try db.run(
                """
                UPDATE node SET region = ?1, token_hash = ?2, declared = 1, every = coalesce(?4, every)
                WHERE name = ?3 AND (region IS NOT ?1 OR token_hash <> ?2 OR declared = 0 OR every IS NOT coalesce(?4, every))
                """, .text(node.region), token, .text(node.name), every)
        } else {
            try db.run(
                "INSERT INTO node (name, region, token_hash, added, declared, every) VALUES (?, ?, ?, ?, 1, ?)",
                .text(node.name), .text(node.region), token, .integer(now), every)
        }
    }

    private static func apply(_ entry: MonitorAccess.Operator, _ db: Connection, _ now: Int64) throws {
        try db.run(
            """
            INSERT INTO operator (name, salt, hash, added) VALUES (?, randomblob(16), randomblob(32), ?)
            ON CONFLICT (name) DO NOTHING
            """, .text(entry.name), .integer(now))
        try db.run(
            """
            INSERT INTO session (token_hash, operator, csrf, expires, reads_only, purpose) VALUES (?, ?, hex(randomblob(16)), ?, 0, ?)
            ON CONFLICT (token_hash) DO NOTHING
            """, .blob(Hexadecimal.decode(entry.token) ?? []), .text(entry.name), .integer(now + lifetime),
            .text(listedPurpose))
    }
}
