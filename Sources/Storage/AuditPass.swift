import Crypto
import Encoding
import SQLite
import Vault
import VaultFormat

/// Follows the chain, some lines at a time.
struct ChainCheck {
    private var chain: AuditChain
    private var findings: [String] = []
    private static let mostFindings = 20

    /// `start`: What is known already.
    init(from start: AuditChain = .start, _ db: Connection) throws {
        chain = start
        guard start.sequence > 0 else { return }
        let hash = try db.first("SELECT hash FROM audit WHERE sequence = ?", .integer(start.sequence)) { $0.blob(0) }
        if hash.map({ constantTimeEqual($0, start.hash) }) != true {
            findings.append("line \(start.sequence) is not the one that was verified")
        }
    }

    /// - Returns: Whether these were the last lines.
    mutating func advance(_ db: Connection, lines: Int) throws -> Bool {
        var read = 0
        try db.forEach(
            "SELECT sequence, time, vault, body, hash FROM audit WHERE sequence > ? ORDER BY sequence LIMIT ?",
            .integer(chain.sequence), .integer(lines)
        ) { row in
            read += 1
            guard let stored = try? Store.auditLine(row) else {
                let sequence = try row.integer("sequence")
                note("line \(sequence) cannot be read")
                // Behind it, or it would be met again for ever.
                chain = AuditChain(sequence: max(chain.sequence + 1, sequence), hash: chain.hash)
                return
            }
            chain.append(stored.line)
            if stored.sequence != chain.sequence || !constantTimeEqual(stored.hash, chain.hash) {
                note("line \(stored.sequence) does not follow the one before it")
                chain = AuditChain(sequence: stored.sequence, hash: stored.hash)
            }
        }
        return read < lines
    }

    private mutating func note(_ finding: String) {
        if findings.count < Self.mostFindings { findings.append(finding) }
    }

    /// What was found, if the log should end there.
    func findings(upTo head: AuditHead) -> [String] {
        guard chain != head.chain else { return findings }
        return findings + ["the log ends at \(chain.sequence), its head says \(head.chain.sequence)"]
    }
}

/// A whole verification, some lines at a time: the schema, the chain, then vault after vault.
struct AuditPass {
    private let verification: AuditVerification
    private(set) var report = AuditVerification.Report(head: AuditHead(epoch: 0, chain: .start))
    private var chain: ChainCheck?
    /// Those that are still to do; nil before the chain is done.
    private var vaults: [VaultID]?
    private var replay = AuditReplay()
    /// The last line of the present vault that was followed.
    private var last: Int64 = 0
    /// Whether the present vault was closed meanwhile. Lines and rows are of an older snapshot, their keys are gone.
    private var isGone = false

    init(_ verification: AuditVerification) {
        self.verification = verification
    }

    /// - Returns: Whether all is done.
    mutating func advance(_ db: Connection, lines: Int) throws -> Bool {
        guard let vault = vaults?.last else {
            if vaults != nil { return true }
            try followChain(db, lines)
            return false
        }
        guard try follow(vault, db, lines) else { return false }
        // Lines and rows are of one snapshot here.
        try compare(vault, db)
        vaults?.removeLast()
        (replay, last, isGone) = (AuditReplay(), 0, false)
        return vaults?.isEmpty == true
    }

    private mutating func followChain(_ db: Connection, _ lines: Int) throws {
        var check = try chain ?? ChainCheck(db)
        let isDone = try check.advance(db, lines: lines)
        chain = check
        guard isDone else { return }
        report.head = try AuditJournal.readHead(db, key: verification.headKey)
        report.findings += try Schema.differences(db, key: verification.headKey) + check.findings(upTo: report.head)
        vaults = try db.all("SELECT vault FROM account", row: { try Store.id($0.blob(0)) as VaultID })
        report.vaults = vaults?.count ?? 0
    }

    /// - Returns: Whether the vault has no further line.
    private mutating func follow(_ vault: VaultID, _ db: Connection, _ lines: Int) throws -> Bool {
        var read = 0
        try db.forEach(
            """
            SELECT sequence, time, vault, body, hash FROM audit WHERE vault = ? AND sequence > ?
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
                report.findings.append("line \(last) does not open")
            }
        }
        return read < lines
    }

    private mutating func compare(_ vault: VaultID, _ db: Connection) throws {
        // It may have been deleted since the list was made.
        let isThere = try db.first("SELECT 1 FROM account WHERE vault = ? AND owner <> x''", .blob(vault.bytes)) { _ in
            true
        }
        guard isThere != nil, !isGone else { return }
        report.findings += replay.state.differences(from: try AuditVerification.state(of: vault, db))
            .map { "vault \(vault.text): \($0)" }
        if try !AuditVerification.isCounted(vault, db) {
            report.findings.append("vault \(vault.text): what is counted of it is not what it holds")
        }
    }
}
