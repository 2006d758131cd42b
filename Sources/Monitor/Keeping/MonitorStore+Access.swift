import SQLite
package import Wire

/// Nodes and operators that the monitor's configuration lists.
extension MonitorStore {
    /// The purpose by which a listed token is told from those that `token add` made.
    static let listedPurpose = "the inventory"
    private static let lifetime: Int64 = 366 * 86_400_000

    /// Makes the nodes and tokens those of the list: adds, changes, and removes those that an earlier list had. What was added
    /// by hand stays, unless the list names it.
    ///
    /// An operator that is listed and not there gets no password: `operator add` gives one, and leaves the listed token.
    ///
    /// `now`: Unix milliseconds.
    package func declare(_ access: MonitorAccess, now: Int64) async throws {
        try await database.write { db in
            let listed = Set(access.nodes.map(\.name))
            for (id, name) in try db.all(
                "SELECT id, name FROM node WHERE declared = 1", row: { ($0.integer(0), $0.text(1)) })
            where !listed.contains(name) {
                try Self.remove(id, db)
            }
            for node in access.nodes { try Self.declare(node, db, now) }
            try db.run("DELETE FROM session WHERE purpose = ?", .text(Self.listedPurpose))
            for entry in access.operators { try Self.declare(entry, db, now) }
        }
    }

    private static func declare(_ node: MonitorAccess.Node, _ db: Connection, _ now: Int64) throws {
        let token = Value.blob(MonitorAccess.bytes(node.token) ?? [])
        let every = Value.integer(node.every.map { $0 * 1_000 })
        // Two nodes may have exchanged their tokens: whoever had this one gets another from his own line.
        try db.run(
            "UPDATE node SET token_hash = randomblob(32) WHERE token_hash = ? AND name <> ?", token, .text(node.name))
        let isThere = try db.first("SELECT 1 FROM node WHERE name = ?", .text(node.name)) { _ in true } ?? false
        if isThere {
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

    private static func declare(_ entry: MonitorAccess.Operator, _ db: Connection, _ now: Int64) throws {
        try db.run(
            """
            INSERT INTO operator (name, salt, hash, added) VALUES (?, randomblob(16), randomblob(32), ?)
            ON CONFLICT (name) DO NOTHING
            """, .text(entry.name), .integer(now))
        try db.run(
            """
            INSERT INTO session (token_hash, operator, csrf, expires, reads_only, purpose) VALUES (?, ?, hex(randomblob(16)), ?, 0, ?)
            ON CONFLICT (token_hash) DO NOTHING
            """, .blob(MonitorAccess.bytes(entry.token) ?? []), .text(entry.name), .integer(now + lifetime),
            .text(listedPurpose))
    }
}
