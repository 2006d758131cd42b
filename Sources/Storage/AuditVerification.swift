package import Crypto
import Encoding
package import SQLite
package import Vault
package import VaultFormat

/// Verification of a file's audit log from the first line to the head, of the vaults' rows against it, and of all secret boxes that the
/// node can open by itself.
package struct AuditVerification: Sendable {
    let headKey: SymmetricKey
    let root: RootKeys
    let open: @Sendable (SealedAuditLine) throws -> AuditEvent?

    package struct Report: Sendable {
        package var head: AuditHead
        package var vaults = 0
        /// Differences and damage; empty when the file is sound.
        package var findings: [String] = []
    }

    /// `open`: Decrypts a line's body; nil when its vault was deleted.
    package init(
        headKey: SymmetricKey, root: RootKeys, open: @escaping @Sendable (SealedAuditLine) throws -> AuditEvent?
    ) {
        self.headKey = headKey
        self.root = root
        self.open = open
    }

    /// Verifies in parts on a reader's thread, pausing as long after each, so that neither the WAL grows meanwhile nor other
    /// readers wait. Lines that are appended meanwhile are verified too.
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

    /// Verifies a file that no other process writes to.
    package func run(_ db: Connection) throws -> Report {
        var pass = AuditPass(self)
        while try !pass.advance(db, lines: .max) {}
        return pass.report
    }

    /// Verifies the chain only, from the last checkpoint to the head, and saves a new checkpoint.
    ///
    /// Shows that lines since the checkpoint were neither removed nor modified; fast enough to run before a node serves.
    package func runSinceVerified(_ database: Database) async throws -> [String] {
        var check: ChainCheck?
        while true {
            let present = check
            let (next, end) = try await database.read(lasting: .long) { db in
                var check = try present ?? ChainCheck(from: try AuditCheckpoint.read(db, key: headKey), db)
                let isDone = try check.advance(db, lines: 10_000)
                return (check, isDone ? try VerifiedState(db, key: headKey).head : nil)
            }
            check = next
            guard let end else { continue }
            let findings = next.findings(upTo: end)
            // The checkpoint only saves time at the next start, so a full disk is not an error.
            if findings.isEmpty { try? await saveCheckpoint(end, database) }
            return findings
        }
    }

    /// Records that the chain was verified up to this head.
    package func saveCheckpoint(_ head: AuditHead, _ database: Database) async throws {
        try await database.write { try AuditCheckpoint.write(head, key: headKey, $0) }
    }

    /// Whether the usage counters, which quotas are checked against, equal the sums over the rows.
    static func isCounted(_ vault: VaultID, _ db: Connection) throws -> Bool {
        let actual = try db.first(
            """
            SELECT
                (SELECT COALESCE(SUM(length(box) + iif(length(box) > ?7, ?2 + ?8, ?2)), 0) FROM value WHERE vault = ?1)
                    + (SELECT COALESCE(SUM(length(w.box) + iif(length(w.box) > ?7, ?3 + ?8, ?3)), 0) FROM wrap w
                        JOIN holder h ON h.id = w.holder WHERE h.vault = ?1)
                    + (SELECT COALESCE(SUM(length(a.box) + iif(length(a.box) > ?7, ?4 + ?8, ?4)), 0) FROM answer a
                        JOIN holder h ON h.id = a.holder WHERE h.vault = ?1)
                    + (SELECT COALESCE(SUM(length(box) + iif(length(box) > ?7, ?9 + ?8, ?9)), 0) FROM l2_entry WHERE vault = ?1)
                    + (SELECT COUNT(*) * ?5 FROM term WHERE vault = ?1)
                    + (SELECT COUNT(*) * ?6 FROM entry WHERE vault = ?1) AS bytes,
                (SELECT COUNT(*) FROM entry WHERE vault = ?1) AS entries,
                (SELECT COUNT(*) FROM value WHERE vault = ?1 AND is_current = 1 AND tier > 0) AS fields
            """, .blob(vault.bytes), .integer(RowSize.value), .integer(RowSize.wrap), .integer(RowSize.answer),
            .integer(RowSize.term), .integer(RowSize.entry), .integer(RowSize.mostInPlace), .integer(RowSize.overflow),
            .integer(RowSize.l2Entry)
        ) { [try $0.int("bytes"), try $0.int("entries"), try $0.int("fields")] }
        let counted = try db.first("SELECT bytes, entries, fields FROM usage WHERE vault = ?", .blob(vault.bytes)) {
            [try $0.int("bytes"), try $0.int("entries"), try $0.int("fields")]
        }
        return actual == counted
    }

    /// Entries whose rows of values, wraps and terms are not those that their records name.
    static func entriesNotAsRecorded(in vault: VaultID, _ db: Connection) throws -> [EntryID] {
        let agents = try Store.agentsByHolder(of: vault, db)
        let entries = try db.all("SELECT id, record FROM entry WHERE vault = ?", .blob(vault.bytes)) { row in
            (id: try Store.id(row.blob("id")) as EntryID, record: EntryRecord(try row.blob("record")))
        }
        return entries.compactMap { entry in
            let actual = try? EntryRecord(rowsOf: entry.id, agents: agents, db)
            return actual == entry.record?.limited(to: agents) ? nil : entry.id
        }
    }

    static func state(of vault: VaultID, _ db: Connection) throws -> VaultState {
        var state = VaultState()
        let id: [UInt8] = vault.bytes
        state.owner = try db.first("SELECT owner FROM account WHERE vault = ? AND owner <> x''", .blob(id)) {
            Base64URL.encode($0.blob(0))
        }
        state.agents = Dictionary(
            try db.all("SELECT id, holder FROM agent WHERE vault = ?", .blob(id)) {
                (Base64URL.encode(try $0.blob("id")), Base64URL.encode(try $0.blob("holder")))
            }
        ) { first, _ in first }
        state.idle = Set(
            try db.all("SELECT id FROM agent WHERE vault = ? AND state <> 0", .blob(id)) {
                Base64URL.encode($0.blob(0))
            })
        try db.forEach("SELECT id, version, state FROM entry WHERE vault = ?", .blob(id)) { row in
            guard let entryState = EntryState(rawValue: try row.int("state")) else { return }
            state.entries[Base64URL.encode(try row.blob("id"))] = .init(
                version: try row.int("version"), state: entryState)
        }
        try db.forEach(
            """
            SELECT v.entry, v.field, v.part, v.version FROM value v JOIN entry e ON e.id = v.entry
            WHERE v.vault = ? AND v.is_current = 1
            """, .blob(id)
        ) { row in
            let (entry, part) = (Base64URL.encode(try row.blob("entry")), try Store.partID(row).text)
            state.fields[entry, default: [:]][part] = try row.int("version")
        }
        // Includes wraps of old versions, of which agents must have none.
        try db.forEach(
            """
            SELECT w.entry, w.field, w.part, a.id AS agent FROM wrap w JOIN agent a ON a.holder = w.holder
            WHERE a.vault = ?
            """, .blob(id)
        ) { row in
            let (entry, part) = (Base64URL.encode(try row.blob("entry")), try Store.partID(row).text)
            state.readers[entry, default: [:]][part, default: []].insert(Base64URL.encode(try row.blob("agent")))
        }
        return state
    }
}

/// The end of the verified part of the chain, stored in an authenticated row.
enum AuditCheckpoint {
    /// Reads the checkpoint; returns the log's start when there is no row or it fails authentication.
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
        let message = Array("clav2/audit-verified".utf8) + chain.sequence.bigEndianBytes + chain.hash
        return Array(HMAC<SHA256>.authenticationCode(for: message, using: key))
    }
}
