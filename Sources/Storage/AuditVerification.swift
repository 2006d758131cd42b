package import Crypto
package import SQLite
package import Vault

/// Checks a file's audit log from the first line to the head, and the vaults' rows against what it says.
package struct AuditVerification: Sendable {
    private let headKey: SymmetricKey
    private let open: @Sendable (SealedAuditLine) throws -> AuditEvent?

    package struct Report: Sendable {
        package var head: AuditHead
        package var vaults = 0
        /// Empty when all is as it should be.
        package var findings: [String] = []
    }

    /// `open`: Opens a body; nil for one whose vault was deleted.
    package init(
        headKey: SymmetricKey, open: @escaping @Sendable (SealedAuditLine) throws -> AuditEvent?
    ) {
        self.headKey = headKey
        self.open = open
    }

    /// On a reader's thread, over one snapshot: the log and the rows belong together.
    package func run(_ database: Database) async throws -> Report {
        try await database.read(lasting: .long) { try run($0) }
    }

    package func run(_ db: Connection) throws -> Report {
        var report = Report(head: try AuditJournal.readHead(db, key: headKey))
        report.findings += try Schema.differences(db, key: headKey)
        try Self.checkChain(&report, db)
        for vault in try db.all("SELECT vault FROM account", row: { try Store.id($0.blob(0)) as VaultID }) {
            report.vaults += 1
            var replay = AuditReplay()
            try db.forEach(
                "SELECT sequence, time, vault, body, hash FROM audit WHERE vault = ? ORDER BY sequence",
                .blob(vault.bytes)
            ) { row in
                do {
                    if let event = try open(try Store.auditLine(row).line) { replay.apply(event) }
                } catch {
                    report.findings.append("line \(row.integer(0)) does not open")
                }
            }
            report.findings += replay.state.differences(from: try Self.state(of: vault, db))
                .map { "vault \(vault.text): \($0)" }
            if try !Self.isCounted(vault, db) {
                report.findings.append("vault \(vault.text): what is counted of it is not what it holds")
            }
        }
        return report
    }

    /// Checks the chain alone, from where it was last verified to the head, and remembers that.
    ///
    /// Enough to say that nobody cut or changed what was written since; quick enough to be done before a node serves.
    package func runSinceVerified(_ database: Database) async throws -> [String] {
        let (findings, end) = try await database.read(lasting: .long) { db in
            var report = Report(head: try AuditJournal.readHead(db, key: headKey))
            try Self.checkChain(&report, from: try Verified.read(db, key: headKey), db)
            return (report.findings, report.head)
        }
        if findings.isEmpty { try await remember(end, database) }
        return findings
    }

    /// Remembers that the chain was found whole up to here.
    package func remember(_ head: AuditHead, _ database: Database) async throws {
        try await database.write { try Verified.write(head, key: headKey, $0) }
    }

    private static let mostFindings = 20

    private static func checkChain(
        _ report: inout Report, from start: AuditChain = .start, _ db: Connection
    ) throws {
        var chain = start
        var findings: [String] = []
        if start.sequence > 0 {
            let hash = try db.first("SELECT hash FROM audit WHERE sequence = ?", .integer(start.sequence)) {
                $0.blob(0)
            }
            if hash.map({ constantTimeEqual($0, start.hash) }) != true {
                findings.append("line \(start.sequence) is not the one that was verified")
            }
        }
        try db.forEach(
            "SELECT sequence, time, vault, body, hash FROM audit WHERE sequence > ? ORDER BY sequence",
            .integer(start.sequence)
        ) { row in
            guard let stored = try? Store.auditLine(row) else {
                if findings.count < mostFindings { findings.append("line \(row.integer(0)) cannot be read") }
                return
            }
            chain.append(stored.line)
            if stored.sequence != chain.sequence || !constantTimeEqual(stored.hash, chain.hash) {
                if findings.count < mostFindings {
                    findings.append("line \(stored.sequence) does not follow the one before it")
                }
                chain = AuditChain(sequence: stored.sequence, hash: stored.hash)
            }
        }
        if chain != report.head.chain {
            findings.append("the log ends at \(chain.sequence), its head says \(report.head.chain.sequence)")
        }
        report.findings += findings
    }

    /// Whether `usage`, which quotas go by, is what the rows come to.
    private static func isCounted(_ vault: VaultID, _ db: Connection) throws -> Bool {
        let there = try db.first(
            """
            SELECT
                (SELECT COALESCE(SUM(length(box) + ?2), 0) FROM value WHERE vault = ?1)
                    + (SELECT COALESCE(SUM(length(w.box) + ?3), 0) FROM wrap w
                        JOIN holder h ON h.id = w.holder WHERE h.vault = ?1)
                    + (SELECT COALESCE(SUM(length(a.box) + ?4), 0) FROM answer a
                        JOIN holder h ON h.id = a.holder WHERE h.vault = ?1)
                    + (SELECT COUNT(*) * ?5 FROM term WHERE vault = ?1)
                    + (SELECT COUNT(*) * ?6 FROM entry WHERE vault = ?1),
                (SELECT COUNT(*) FROM entry WHERE vault = ?1),
                (SELECT COUNT(*) FROM value WHERE vault = ?1 AND is_current = 1 AND tier > 0)
            """, .blob(vault.bytes), .integer(RowSize.value), .integer(RowSize.wrap), .integer(RowSize.answer),
            .integer(RowSize.term), .integer(RowSize.entry)
        ) { [$0.int(0), $0.int(1), $0.int(2)] }
        let counted = try db.first("SELECT bytes, entries, fields FROM usage WHERE vault = ?", .blob(vault.bytes)) {
            [$0.int(0), $0.int(1), $0.int(2)]
        }
        return there == counted
    }

    private static func state(of vault: VaultID, _ db: Connection) throws -> VaultState {
        var state = VaultState()
        let id: [UInt8] = vault.bytes
        state.owner = try db.first("SELECT owner FROM account WHERE vault = ?", .blob(id)) {
            Base64URL.encode($0.blob(0))
        }
        state.agents = Set(
            try db.all("SELECT holder FROM agent WHERE vault = ?", .blob(id)) { Base64URL.encode($0.blob(0)) })
        try db.forEach("SELECT id, version, state FROM entry WHERE vault = ?", .blob(id)) { row in
            guard let entryState = EntryState(rawValue: row.int(2)) else { return }
            state.entries[Base64URL.encode(row.blob(0))] = .init(version: row.int(1), state: entryState)
        }
        try db.forEach(
            """
            SELECT v.entry, v.field, v.version FROM value v JOIN entry e ON e.id = v.entry
            WHERE v.vault = ? AND v.is_current = 1
            """, .blob(id)
        ) { row in
            state.fields["\(Base64URL.encode(row.blob(0)))/\(Base64URL.encode(row.blob(1)))"] = row.int(2)
        }
        // Every wrap of an agent counts, of old versions too: there should be none of those.
        try db.forEach(
            """
            SELECT w.entry, w.field, w.holder FROM wrap w JOIN holder h ON h.id = w.holder
            WHERE h.vault = ? AND h.is_owner = 0
            """, .blob(id)
        ) { row in
            let place = "\(Base64URL.encode(row.blob(0)))/\(Base64URL.encode(row.blob(1)))"
            state.readers[place, default: []].insert(Base64URL.encode(row.blob(2)))
        }
        return state
    }
}

/// Up to where the chain was verified: a row that only this node can make, so that it can begin there.
enum Verified {
    /// The end of what was verified; the log's start when there is no row, or not one of this node's.
    static func read(_ db: Connection, key: SymmetricKey) throws -> AuditChain {
        let row = try db.first("SELECT sequence, hash, code FROM audit_verified WHERE id = 1") { row in
            (AuditChain(sequence: row.integer(0), hash: row.blob(1)), row.blob(2))
        }
        guard let (chain, code) = row, constantTimeEqual(self.code(chain, key), code) else { return .start }
        return chain
    }

    static func write(_ head: AuditHead, key: SymmetricKey, _ db: Connection) throws {
        try db.run(
            """
            INSERT INTO audit_verified (id, sequence, hash, code) VALUES (1, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET sequence = excluded.sequence, hash = excluded.hash, code = excluded.code
            """, .integer(head.chain.sequence), .blob(head.chain.hash), .blob(code(head.chain, key)))
    }

    private static func code(_ chain: AuditChain, _ key: SymmetricKey) -> [UInt8] {
        let message = Array("clav1/audit-verified".utf8) + chain.sequence.bigEndianBytes + chain.hash
        return Array(HMAC<SHA256>.authenticationCode(for: message, using: key))
    }
}
