package import SQLite
import Synchronization
package import Vault
package import VaultFormat

/// The audit lines of one vault, for its owner.
extension Store {
    package func auditLines(
        of vault: VaultID, before position: AuditPosition?, limit: PageLimit
    ) async throws -> Page<NumberedAuditLine> {
        // Counted before the lines are read, so a line appended between the two is left out.
        let counted = try await position == nil ? countLines(of: vault) : nil
        return try await database.read { db in
            let before = position?.sequence ?? counted.map { min($0.sequence, .max - 1) + 1 } ?? .max
            var number = position?.number ?? counted.map { $0.count + 1 } ?? 1
            var page = PageScan<NumberedAuditLine>(limit)
            try db.scan(
                """
                SELECT sequence, time, vault, change, digest, body, hash FROM audit WHERE vault = ? AND sequence < ?
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

    /// Counts a vault's lines, up to the returned sequence number. Counts only the lines since the last call, in parts, so that a
    /// long log does not keep others waiting.
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
            try await WorkQueue.yieldIfNeeded()
        } while more == Int64(Self.linesAtATime)
        lineCounts.withLock { [known] counts in
            if counts.count >= Self.mostCounts { counts.removeAll() }
            counts[vault] = known
        }
        return known
    }
}

/// The whole log, for the node itself.
extension Store {
    /// The newest line of the log; nil in an empty one.
    ///
    /// It tells how the last process ended, so its hash is verified against the head.
    ///
    /// - Throws: `VaultError.damaged` when it does not match.
    package func lastAuditLine() async throws -> SealedAuditLine? {
        let head = journal.head.chain
        if head.sequence == 0 { return nil }
        let lines = try await database.read { db in
            try db.all(
                "SELECT sequence, time, vault, change, digest, body, hash FROM audit WHERE sequence > ? - 2 ORDER BY sequence",
                .integer(head.sequence), row: { try Self.auditLine($0) })
        }
        let before = lines.first { $0.sequence == head.sequence - 1 }
        var chain = before.map { AuditChain(sequence: $0.sequence, hash: $0.hash) } ?? .start
        guard let last = lines.last, last.sequence == head.sequence else {
            throw VaultError.damaged("the audit log ends before its head")
        }
        chain.append(last.line)
        guard chain == head else {
            throw VaultError.damaged("the audit log's last line is not the one that was written")
        }
        return last.line
    }

    /// Every audit line, oldest first, in pages.
    package func forEachAuditLine(_ body: (StoredAuditLine) throws -> Void) async throws {
        var last: Int64 = 0
        while true {
            let after = last
            let page = try await database.read { db in
                try db.all(
                    "SELECT sequence, time, vault, change, digest, body, hash FROM audit WHERE sequence > ? ORDER BY sequence LIMIT 500",
                    .integer(after), row: Self.auditLine)
            }
            guard let end = page.last else { return }
            for line in page { try body(line) }
            last = end.sequence
        }
    }

    /// The chain's hash at a line, recomputed from there up to the committed head, so that the stored hash is the one that was written.
    ///
    /// - Returns: Nil when there is no such line, or the links do not lead to the head.
    package func recomputedHash(at sequence: Int64) async throws -> [UInt8]? {
        let head = journal.head.chain
        guard sequence >= 0, sequence <= head.sequence else { return nil }
        let stored = try await database.read { db in
            try db.first("SELECT hash FROM audit WHERE sequence = ?", .integer(sequence)) { $0.blob(0) }
        }
        guard let start = sequence == 0 ? AuditChain.start.hash : stored else { return nil }
        var chain = AuditChain(sequence: sequence, hash: start)
        while chain.sequence < head.sequence {
            let present = chain
            chain = try await database.read(lasting: .long) { db in
                var chain = present
                try db.forEach(
                    """
                    SELECT sequence, time, vault, change, digest, body, hash FROM audit
                    WHERE sequence > ? AND sequence <= ? ORDER BY sequence LIMIT 10000
                    """, .integer(chain.sequence), .integer(head.sequence)
                ) { chain.append(try Self.auditLine($0).line) }
                return chain
            }
            // A missing line.
            if chain == present { return nil }
        }
        return chain == head ? start : nil
    }

    /// Unix seconds of the newest line of a file that a node may be serving; 0 in an empty log.
    package static func lastAuditTime(path: String) throws -> Int64 {
        let connection = try Connection(path: path, access: .readOnly)
        return try connection.first("SELECT time FROM audit ORDER BY sequence DESC LIMIT 1") { $0.integer(0) } ?? 0
    }

    package static func auditKeys(path: String) throws -> [VaultID: [UInt8]] {
        try auditKeys(Connection(path: path, access: .readOnly))
    }

    /// The encrypted audit keys of all vaults.
    package static func auditKeys(_ database: Connection) throws -> [VaultID: [UInt8]] {
        let rows = try database.all("SELECT vault, audit_key FROM account WHERE owner <> x''") { row in
            (try id(row.blob("vault")) as VaultID, try row.blob("audit_key"))
        }
        return Dictionary(rows) { first, _ in first }
    }
}
