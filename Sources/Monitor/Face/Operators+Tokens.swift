import SQLite

/// Tokens for tools: the SOC's deploys, Prometheus.
extension Operators {
    package struct TokenLine: Equatable, Sendable {
        /// The beginning of its hash: names it and opens nothing.
        package var id: String
        package var name: String
        package var purpose: String
        package var readsOnly: Bool
        /// Unix milliseconds.
        package var expires: Int64
    }

    /// Valid for a year.
    ///
    /// - Throws: `OperatorRefusal.noSuchOperator`.
    package func makeToken(for name: String, purpose: String, readsOnly: Bool = false) async throws -> String {
        let isThere = try await store.database.read { db in
            try db.first("SELECT 1 FROM operator WHERE name = ?", .text(name)) { _ in true } ?? false
        }
        guard isThere else { throw OperatorRefusal.noSuchOperator(name) }
        return try await open(name, lifetime: 366 * 86_400_000, readsOnly: readsOnly, for: purpose).token
    }

    /// Those that are still good, and no browser's session.
    package func tokens() async throws -> [TokenLine] {
        let now = now()
        return try await store.database.read { db in
            try db.all(
                """
                SELECT lower(hex(substr(token_hash, 1, 4))), operator, purpose, reads_only, expires FROM session
                WHERE purpose IS NOT NULL AND expires > ? ORDER BY operator, expires
                """, .integer(now)
            ) { row in
                TokenLine(
                    id: row.text(0), name: row.text(1), purpose: row.text(2), readsOnly: row.int(3) != 0,
                    expires: row.integer(4))
            }
        }
    }

    /// - Throws: `OperatorRefusal.noSuchToken`.
    package func endToken(_ id: String) async throws {
        let ended = try await store.database.write { db in
            try db.run(
                "DELETE FROM session WHERE purpose IS NOT NULL AND lower(hex(substr(token_hash, 1, 4))) = lower(?)",
                .text(id))
        }
        guard ended > 0 else { throw OperatorRefusal.noSuchToken(id) }
    }
}
