import SQLite
import Synchronization
package import Vault
package import VaultFormat

/// The lines of one vault, as its owner reads them.
extension Store {
    package func auditLines(
        of vault: VaultID, before position: AuditPosition?, limit: PageLimit
    ) async throws -> Page<NumberedAuditLine> {
        // Counted before the lines are read: a line that comes between the two is not among them.
        let counted = try await position == nil ? countLines(of: vault) : nil
        return try await database.read { db in
            let before = position?.sequence ?? counted.map { min($0.sequence, .max - 1) + 1 } ?? .max
            var number = position?.number ?? counted.map { $0.count + 1 } ?? 1
            var page = PageScan<NumberedAuditLine>(limit)
            try db.scan(
                """
                SELECT sequence, time, vault, body, hash FROM audit WHERE vault = ? AND sequence < ?
                ORDER BY sequence DESC LIMIT ?
                """,
                .blob(vault.bytes), .integer(before), .integer(limit.rows)
            ) { row in
                let line = try Self.auditLine(row)
                number -= 1
                return page.add(NumberedAuditLine(number: number, line: line), size: line.line.body.count)
            }
            return page.finished
        }
    }
}

extension Store {
    private static let linesAtATime = 20_000
    private static let mostCounts = 10_000

    /// How many lines a vault has, up to which sequence. Only what came since the last time is counted, in parts: a long
    /// log is no reason for others to wait.
    private func countLines(of vault: VaultID) async throws -> (sequence: Int64, count: Int64) {
        var known: (sequence: Int64, count: Int64) = lineCounts.withLock { $0[vault] } ?? (0, 0)
        var more: Int64
        repeat {
            let start = known.sequence
            let part = try await database.read { db in
                try db.first(
                    """
                    SELECT COUNT(*) AS lines, MAX(sequence) AS last FROM (
                        SELECT sequence FROM audit WHERE vault = ? AND sequence > ? ORDER BY sequence LIMIT ?)
                    """, .blob(vault.bytes), .integer(start), .integer(Self.linesAtATime)
                ) { (count: try $0.integer("lines"), last: try $0.integer("last")) }
            }
            more = part?.count ?? 0
            if let part, more > 0 { known = (part.last, known.count + part.count) }
            try await WorkQueue.breathe()
        } while more == Int64(Self.linesAtATime)
        lineCounts.withLock { [known] counts in
            if counts.count >= Self.mostCounts { counts.removeAll() }
            counts[vault] = known
        }
        return known
    }
}
