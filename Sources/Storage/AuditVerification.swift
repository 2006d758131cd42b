package import Crypto
import Encoding
package import SQLite
package import Vault
import VaultFormat

/// Checks a file's audit log from the first line to the head, and the vaults' rows against what it says.
package struct AuditVerification: Sendable {
    let headKey: SymmetricKey
    let open: @Sendable (SealedAuditLine) throws -> AuditEvent?

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

    /// In parts on a reader's thread, with as much rest between them, so that neither the log beside the file grows for as
    /// long as this takes nor others wait. What was written meanwhile is checked too.
    package func run(_ database: Database) async throws -> Report {
        var pass = AuditPass(self)
        while true {
            let began = ContinuousClock.now
            let present = pass
            let (next, isDone) = try await database.read(lasting: .long) { db in
                var pass = present
                let isDone = try pass.advance(db, lines: 1_000)
                return (pass, isDone)
            }
            pass = next
            if isDone { return pass.report }
            try await Task.sleep(for: min(began.duration(to: .now), .seconds(1)))
        }
    }

    /// Of a file that nobody else writes to.
    package func run(_ db: Connection) throws -> Report {
        var pass = AuditPass(self)
        while try !pass.advance(db, lines: .max) {}
        return pass.report
    }

    /// Checks the chain alone, from where it was last verified to the head, and remembers that.
    ///
    /// Enough to say that nobody cut or changed what was written since; quick enough to be done before a node serves.
    package func runSinceVerified(_ database: Database) async throws -> [String] {
        var check: ChainCheck?
        while true {
            let present = check
            let (next, end) = try await database.read(lasting: .long) { db in
                var check = try present ?? ChainCheck(from: try Verified.read(db, key: headKey), db)
                let isDone = try check.advance(db, lines: 10_000)
                return (check, isDone ? try AuditJournal.readHead(db, key: headKey) : nil)
            }
            check = next
            guard let end else { continue }
            let findings = next.findings(upTo: end)
            // It saves time the next time, and no more: a full disk keeps nobody from starting.
            if findings.isEmpty { try? await remember(end, database) }
            return findings
        }
    }

    /// Remembers that the chain was found whole up to here.
    package func remember(_ head: AuditHead, _ database: Database) async throws {
        try await database.write { try Verified.write(head, key: headKey, $0) }
    }

    /// Whether `usage`, which quotas go by, is what the rows come to.
    static func isCounted(_ vault: VaultID, _ db: Connection) throws -> Bool {
        let there = try db.first(
            """
            SELECT
                (SELECT COALESCE(SUM(length(box) + iif(length(box) > ?7, ?2 + ?8, ?2)), 0) FROM value WHERE vault = ?1)
                    + (SELECT COALESCE(SUM(length(w.box) + iif(length(w.box) > ?7, ?3 + ?8, ?3)), 0) FROM wrap w
                        JOIN holder h ON h.id = w.holder WHERE h.vault = ?1)
                    + (SELECT COALESCE(SUM(length(a.box) + iif(length(a.box) > ?7, ?4 + ?8, ?4)), 0) FROM answer a
                        JOIN holder h ON h.id = a.holder WHERE h.vault = ?1)
                    + (SELECT COUNT(*) * ?5 FROM term WHERE vault = ?1)
                    + (SELECT COUNT(*) * ?6 FROM entry WHERE vault = ?1) AS bytes,
                (SELECT COUNT(*) FROM entry WHERE vault = ?1) AS entries,
                (SELECT COUNT(*) FROM value WHERE vault = ?1 AND is_current = 1 AND tier > 0) AS fields
            """, .blob(vault.bytes), .integer(RowSize.value), .integer(RowSize.wrap), .integer(RowSize.answer),
            .integer(RowSize.term), .integer(RowSize.entry), .integer(RowSize.mostInPlace), .integer(RowSize.overflow)
        ) { [try $0.int("bytes"), try $0.int("entries"), try $0.int("fields")] }
        let counted = try db.first("SELECT bytes, entries, fields FROM usage WHERE vault = ?", .blob(vault.bytes)) {
            [try $0.int("bytes"), try $0.int("entries"), try $0.int("fields")]
        }
        return there == counted
    }

    static func state(of vault: VaultID, _ db: Connection) throws -> VaultState {
        var state = VaultState()
        let id: [UInt8] = vault.bytes
        state.owner = try db.first("SELECT owner FROM account WHERE vault = ? AND owner <> x''", .blob(id)) {
            Base64URL.encode($0.blob(0))
        }
        state.agents = Set(
            try db.all("SELECT holder FROM agent WHERE vault = ?", .blob(id)) { Base64URL.encode($0.blob(0)) })
        state.idle = Set(
            try db.all("SELECT holder FROM agent WHERE vault = ? AND state <> 0", .blob(id)) {
                Base64URL.encode($0.blob(0))
            })
        try db.forEach("SELECT id, version, state FROM entry WHERE vault = ?", .blob(id)) { row in
            guard let entryState = EntryState(rawValue: try row.int("state")) else { return }
            state.entries[Base64URL.encode(try row.blob("id"))] = .init(
                version: try row.int("version"), state: entryState)
        }
        try db.forEach(
            """
            SELECT v.entry, v.field, v.version FROM value v JOIN entry e ON e.id = v.entry
            WHERE v.vault = ? AND v.is_current = 1
            """, .blob(id)
        ) { row in
            let (entry, field) = (Base64URL.encode(try row.blob("entry")), Base64URL.encode(try row.blob("field")))
            state.fields[entry, default: [:]][field] = try row.int("version")
        }
        // Every wrap of an agent counts, of old versions too: there should be none of those.
        try db.forEach(
            """
            SELECT w.entry, w.field, w.holder FROM wrap w JOIN agent a ON a.holder = w.holder WHERE a.vault = ?
            """, .blob(id)
        ) { row in
            let (entry, field) = (Base64URL.encode(try row.blob("entry")), Base64URL.encode(try row.blob("field")))
            state.readers[entry, default: [:]][field, default: []].insert(Base64URL.encode(try row.blob("holder")))
        }
        return state
    }
}

/// Up to where the chain was verified: a row that only this node can make, so that it can begin there.
enum Verified {
    /// The end of what was verified; the log's start when there is no row, or not one of this node's.
    static func read(_ db: Connection, key: SymmetricKey) throws -> AuditChain {
        let row = try db.first("SELECT sequence, hash, code FROM audit_verified WHERE id = 1") { row in
            (AuditChain(sequence: try row.integer("sequence"), hash: try row.blob("hash")), try row.blob("code"))
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
