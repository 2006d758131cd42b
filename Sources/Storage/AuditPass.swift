import Crypto
import Encoding
import SQLite
import Vault
import VaultFormat

/// Incremental verification of the hash chain.
struct ChainCheck {
    private var chain: AuditChain
    private var findings: [String] = []
    /// Each vault's last state in the verified lines, without those that were closed.
    private(set) var states: [VaultID: NodeState.Vault] = [:]
    private static let mostFindings = 20

    /// `start`: The end of the part that was verified before.
    init(from start: AuditChain = .start, _ db: Connection) throws {
        chain = start
        guard start.sequence > 0 else { return }
        let hash = try db.first("SELECT hash FROM audit WHERE sequence = ?", .integer(start.sequence)) { $0.blob(0) }
        if hash.map({ constantTimeEqual($0, start.hash) }) != true {
            findings.append("line \(start.sequence) differs from the verified one")
        }
    }

    /// Verifies the next lines.
    ///
    /// - Returns: Whether these were the last lines.
    mutating func advance(_ db: Connection, lines: Int) throws -> Bool {
        var read = 0
        try db.forEach(
            "SELECT sequence, time, vault, change, digest, body, hash FROM audit WHERE sequence > ? ORDER BY sequence LIMIT ?",
            .integer(chain.sequence), .integer(lines)
        ) { row in
            read += 1
            guard let stored = try? Store.auditLine(row) else {
                let sequence = try row.integer("sequence")
                note("line \(sequence) cannot be read")
                // Continue after it, so that the line is not read again.
                chain = AuditChain(sequence: max(chain.sequence + 1, sequence), hash: chain.hash)
                return
            }
            chain.append(stored.line)
            if let state = stored.line.state {
                states[stored.line.vault ?? .node] = state.digest == .zeros ? nil : state
            }
            if stored.sequence != chain.sequence || !constantTimeEqual(stored.hash, chain.hash) {
                note("line \(stored.sequence) is not chained to the previous line")
                chain = AuditChain(sequence: stored.sequence, hash: stored.hash)
            }
        }
        return read < lines
    }

    private mutating func note(_ finding: String) {
        if findings.count < Self.mostFindings { findings.append(finding) }
    }

    /// The findings, given that the log must end at `head`.
    func findings(upTo head: AuditHead) -> [String] {
        guard chain != head.chain else { return findings }
        return findings + ["the log ends at \(chain.sequence), its head says \(head.chain.sequence)"]
    }
}

/// Incremental verification of a whole file: the schema, the chain, vault after vault, then the secret boxes under root keys.
struct AuditPass {
    private let verification: AuditVerification
    private(set) var report = AuditVerification.Report(head: AuditHead(epoch: 0, chain: .start))
    private var chain: ChainCheck?
    /// Vaults that remain to be verified; nil before the chain is done.
    private var vaults: [VaultID]?
    private var tables: RecordTables?
    private var replay = AuditReplay()
    /// Sequence number of the current vault's last replayed line.
    private var last: Int64 = 0
    /// Whether the current vault was closed during the verification, so that its lines can no longer be decrypted.
    private var isGone = false
    private var boxes: RootBoxCheck
    private var boxFindings = 0
    /// Secret boxes that are reported one by one; a wrong root key damages all.
    private static let mostBoxes = 20

    init(_ verification: AuditVerification) {
        self.verification = verification
        boxes = RootBoxCheck(root: verification.root)
    }

    /// Verifies the next part.
    ///
    /// - Returns: Whether the verification is complete.
    mutating func advance(_ db: Connection, lines: Int) throws -> Bool {
        guard let vault = vaults?.last else {
            if vaults != nil { return try openBoxes(db, lines) }
            try verifyChain(db, lines)
            return false
        }
        guard try replayLines(of: vault, db, lines) else { return false }
        // The last lines and the rows are read from one snapshot.
        try compare(vault, db)
        vaults?.removeLast()
        (replay, last, isGone) = (AuditReplay(), 0, false)
        return false
    }

    /// Opens the next secret boxes.
    ///
    /// - Returns: Whether they were the last.
    private mutating func openBoxes(_ db: Connection, _ rows: Int) throws -> Bool {
        let (findings, isDone) = try boxes.advance(db, rows: rows)
        report.findings += findings.prefix(max(0, Self.mostBoxes - boxFindings))
        boxFindings += findings.count
        return isDone
    }

    private mutating func verifyChain(_ db: Connection, _ lines: Int) throws {
        var check = try chain ?? ChainCheck(db)
        let isDone = try check.advance(db, lines: lines)
        chain = check
        guard isDone else { return }
        let verified = try VerifiedState(db, key: verification.headKey)
        report.head = verified.head
        report.findings += try Schema.differences(db, key: verification.headKey) + check.findings(upTo: report.head)
        report.findings += check.differences(from: verified.stored).map { Self.finding(in: $0, $1) }
        let accounts = try db.all("SELECT vault FROM account", row: { try Store.id($0.blob(0)) as VaultID })
        report.vaults = accounts.count
        // Also those whose account is missing.
        vaults = Set(accounts).union(verified.states.vaults.keys).subtracting([.node]).sorted()
        tables = try RecordTables(db)
        try compareRecords(of: .node, isExpected: true, db)
    }

    /// Replays the vault's next lines.
    ///
    /// - Returns: Whether the vault has no further line.
    private mutating func replayLines(of vault: VaultID, _ db: Connection, _ lines: Int) throws -> Bool {
        var read = 0
        try db.forEach(
            """
            SELECT sequence, time, vault, change, digest, body, hash FROM audit WHERE vault = ? AND sequence > ?
            ORDER BY sequence LIMIT ?
            """, .blob(vault.bytes), .integer(last), .integer(lines)
        ) { row in
            read += 1
            last = try row.integer("sequence")
            do {
                guard let event = try verification.open(try Store.auditLine(row).line) else {
                    isGone = true
                    return
                }
                replay.apply(event)
            } catch {
                report.findings.append("line \(last) cannot be decrypted")
            }
        }
        return read < lines
    }

    private static func finding(in vault: VaultID, _ what: String) -> String {
        vault == .node ? "the node's own records: \(what)" : "vault \(vault.text): \(what)"
    }

    /// Compares all records with the vault's state in the same snapshot. A closed vault has neither.
    private mutating func compareRecords(of vault: VaultID, isExpected: Bool, _ db: Connection) throws {
        let state = try db.first("SELECT change, digest FROM vault_state WHERE vault = ?", .blob(vault.bytes)) {
            try StoredState.state($0)
        }
        guard let tables, state != nil || isExpected else { return }
        var records = try LoadedRecords(of: vault, tables, db)
        guard state?.digest != records.digest() else { return }
        report.findings.append(Self.finding(in: vault, "its records are not those of its state"))
    }

    private mutating func compare(_ vault: VaultID, _ db: Connection) throws {
        // The vault may have been deleted since the list was read.
        let isThere = try db.first("SELECT 1 FROM account WHERE vault = ? AND owner <> x''", .blob(vault.bytes)) { _ in
            true
        }
        try compareRecords(of: vault, isExpected: isThere != nil, db)
        guard isThere != nil, !isGone else { return }
        report.findings += replay.state.differences(from: try AuditVerification.state(of: vault, db))
            .map { "vault \(vault.text): \($0)" }
        report.findings += try AuditVerification.entriesNotAsRecorded(in: vault, db)
            .map { "vault \(vault.text): entry \($0.text): its values, wraps or terms are not those of its record" }
        if try !AuditVerification.isCounted(vault, db) {
            report.findings.append("vault \(vault.text): its usage counters differ from its rows")
        }
    }
}
