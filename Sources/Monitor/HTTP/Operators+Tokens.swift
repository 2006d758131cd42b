import SQLite

/// Tokens for tools, such as deployments and Prometheus.
extension Operators {
    package struct TokenLine: Equatable, Sendable {
        /// Prefix of its hash, which identifies it and grants nothing.
        package var id: String
        package var name: String
        package var purpose: String
        package var readsOnly: Bool
        /// Unix milliseconds.
        package var expires: Int64
    }

    /// Creates a token, which is valid for a year.
    package func makeToken(for name: String, purpose: String, readsOnly: Bool = false) async throws -> String {
        let exists = try await store.database.read { db in
            try db.first("SELECT 1 FROM operator WHERE name = ?", .text(name)) { _ in true } ?? false
        }
        guard exists else { throw OperatorError.noSuchOperator(name) }
        return try await open(name, lifetime: 366 * 86_400_000, readsOnly: readsOnly, for: purpose).token
    }

    /// Valid tokens of tools, without browser sessions.
    package func tokens() async throws -> [TokenLine] {
        let now = now()
        return try await store.database.read { db in
            try db.all(
                """
                SELECT lower(hex(substr(token_hash, 1, 4))) AS id, operator, purpose, reads_only, expires FROM session
                WHERE purpose IS NOT NULL AND expires > ? ORDER BY operator, expires
                """, .integer(now)
            ) { row in
                TokenLine(
                    id: try row.text("id"), name: try row.text("operator"), purpose: try row.text("purpose"),
                    readsOnly: try row.int("reads_only") != 0, expires: try row.integer("expires"))
            }
        }
    }

    /// - Throws: `OperatorError.noSuchToken`.
    package func endToken(_ id: String) async throws {
        let ended = try await store.database.write { db in
            try db.run(
                "DELETE FROM session WHERE purpose IS NOT NULL AND lower(hex(substr(token_hash, 1, 4))) = lower(?)",
                .text(id))
        }
        guard ended > 0 else { throw OperatorError.noSuchToken(id) }
    }
}
