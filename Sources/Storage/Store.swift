import Auth
package import SQLite
import Synchronization
package import Vault
package import VaultFormat

/// The SQLite store of the vault's rows. It has neither rules nor keys.
package final class Store: Sendable {
    package let database: Database
    package let journal: AuditJournal
    package let health: NodeHealth
    let now: @Sendable () -> Int64
    let freeSpace: @Sendable () -> Int64?
    /// Called after each commit that takes access from somebody.
    let onAccessTaken: @Sendable () -> Void
    /// Whether deleted data remains in the WAL because a reader prevented its truncation; `sweep` retries.
    let owesTruncation = Atomic(false)
    /// Ended key holders whose deletion a full disk interrupted; `sweep` retries.
    let owedHolders = Mutex<Set<HolderID>>([])
    /// Number of commits of each vault that used the reserved space since the disk became full.
    let lastCommits = Mutex<[VaultID: Int]>([:])
    /// Vaults whose last revocation was refused for lack of disk space; their reads are refused.
    let readBlocked = Mutex<Set<VaultID>>([])
    /// Cached counts of each vault's audit lines, up to a sequence number.
    let lineCounts = Mutex<[VaultID: (sequence: Int64, count: Int64)]>([:])

    /// Opens a file made by `create` and migrates its schema.
    ///
    /// `freeSpace`: Free bytes on the disk; nil when unknown.
    package init(
        path: String, journal: AuditJournal, health: NodeHealth, now: @escaping @Sendable () -> Int64,
        freeSpace: @escaping @Sendable () -> Int64? = { nil }, onAccessTaken: @escaping @Sendable () -> Void = {}
    ) throws {
        self.journal = journal
        self.health = health
        self.now = now
        self.freeSpace = freeSpace
        self.onAccessTaken = onAccessTaken
        database = try Database(path: path, migrations: Schema.migrations, observer: journal)
        try journal.load(from: database)
    }

    /// Reads a file's encrypted node key, which is needed to open anything else.
    package static func nodeKey(path: String) throws -> [UInt8] {
        let connection = try Connection(path: path, access: .readOnly)
        try FileFormat.check(connection)
        guard let key = try connection.first("SELECT node_key FROM node WHERE id = 1", row: { $0.blob(0) }) else {
            throw VaultError.damaged("the file has no node key")
        }
        return key
    }

    /// Creates the file of a new node.
    package static func create(path: String, root: RootKeys, now: Int64) throws {
        let stored = NodeKeys.makeStored(root: root)
        let keys = try NodeKeys(root: root, stored: stored)
        let database = try Connection(path: path, access: .readWrite)
        // A page of this size holds several sealed keys; one of SQLite's default size holds one.
        try database.script("PRAGMA page_size = 8192;")
        // Allows returning free pages to the disk incrementally.
        try database.script("PRAGMA auto_vacuum = INCREMENTAL;")
        try database.script("PRAGMA application_id = \(FileFormat.applicationID);")
        try database.script("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;")
        try Migration.apply(Schema.migrations, to: database)
        try database.run("BEGIN IMMEDIATE")
        try database.run("INSERT INTO node (id, node_key, created) VALUES (1, ?, ?)", .blob(stored), .integer(now))
        var records = try LoadedRecords(of: .node, RecordTables(database), database)
        let state = NodeState.Vault(change: 1, digest: records.digest())
        try StoredState.put(state, of: .node, database)
        try AuditJournal.writeHead(
            AuditHead(epoch: 1, chain: .start), key: keys.auditHeadKey, StoredState([.node: state]).sum, database)
        try database.run("COMMIT")
    }

    // MARK: Committing

    package func commit(_ mutations: [Mutation], _ lines: [SealedAuditLine]) async throws {
        try await commit(mutations, lines, isOwn: false)
    }

    /// Commits audit lines of the node itself. They require no reserved space, because requests cannot cause them.
    package func record(_ lines: [SealedAuditLine]) async throws { try await commit([], lines, isOwn: true) }

    /// `isOwn`: Whether the node itself initiated the commit, which exempts it from the disk-space limits.
    func commit(_ mutations: [Mutation], _ lines: [SealedAuditLine], isOwn: Bool) async throws {
        let vault = lines.lazy.compactMap(\.vault).first
        let (mutations, isLast) = try admitted(mutations, lines, of: vault, isOwn: isOwn)
        guard !mutations.isEmpty || !lines.isEmpty else { return }
        do {
            // Commit alone when space is low: the writes of others in the same batch are not visible yet.
            let isAlone = health.mode != .normal && mutations.contains { $0.direction == .tidies }
            let floor = isAlone && !isOwn ? [Mutation].roomForTidying : 0
            try await database.write(size: isAlone || mutations.areMany ? .large : .small) {
                [journal, now, freeSpace] db in
                try Self.requireDiskSpace(for: mutations, lines, floor: floor, freeSpace, db)
                let limits = mutations.compactMap(\.quotas)
                let before = try limits.map { try Self.usage(of: $0.vault, db) }
                let reduced = try Self.perform(mutations, now(), journal, db)
                // The reserved space is only for commits that actually revoked access or freed space.
                if isLast, !reduced { throw VaultError.readOnly(NodeHealth.Fault.diskFull.rawValue) }
                for (limit, before) in zip(limits, before) { try Self.check(limit, before, db) }
                try journal.append(lines, db)
            }
        } catch let error as SQLiteError {
            // In a batch the journal observes a failed commit, but not a failed job.
            journal.report(error)
            // A commit that adds nothing can violate a constraint only if another program changed rows or schema.
            if error.cause == .constraint, mutations.addNothing, !mutations.narrow {
                journal.report(ForeignWrite(finding: "a constraint of the schema is violated: \(error)"))
                throw VaultError.readOnly(NodeHealth.Fault.foreignWrite.rawValue)
            }
            if error.cause == .full {
                // When access cannot be revoked any more, reads are refused too.
                if mutations.revokeAccess { health.noteExhaustion() }
                // Remove the failed commit's pages from the WAL to make space for the next.
                _ = try? await database.truncateWAL(ignoringBackOff: true)
            }
            throw refusal(error)
        } catch let mismatch as RecordMismatch {
            // The writer's own transaction is never older than memory.
            throw journal.memory.noteDamage(mismatch)
        } catch is ForeignWrite {
            throw VaultError.readOnly(NodeHealth.Fault.foreignWrite.rawValue)
        }
        health.endExhaustion()
        // What the node ends by itself had expired.
        if mutations.takeAccess, !isOwn { onAccessTaken() }
        // Free the WAL's space now instead of at the next check of the disk.
        if health.mode == .readOnly(.diskFull), mutations.contains(where: { $0.direction == .tidies }) {
            _ = try? await database.truncateWAL()
        }
        guard let vault, mutations.revokeAccess, !isOwn else { return }
        if isLast { lastCommits.withLock { $0[vault, default: 0] += 1 } }
        readBlocked.withLock { _ = $0.remove(vault) }
    }

    /// Performs the mutations.
    ///
    /// - Returns: Whether any changed rows to revoke access or free space.
    @discardableResult
    static func perform(
        _ mutations: [Mutation], _ now: Int64, _ journal: AuditJournal, _ db: Connection
    ) throws -> Bool {
        var reduced = mutations.narrow
        var edits = EntryEdits(RecordCheck(reference: .writer(journal)))
        for mutation in mutations {
            let before = db.totalChanges
            try perform(mutation, now, journal, &edits, db)
            if [.reduces, .tidies].contains(mutation.direction), db.totalChanges != before { reduced = true }
        }
        try edits.write(db)
        return reduced
    }

    @discardableResult
    package func truncateWAL() async -> Bool { await truncateWAL(evenSoon: false) }

    /// `evenSoon`: Ignore the back-off of a few seconds after a reader prevented the truncation.
    @discardableResult
    func truncateWAL(evenSoon: Bool) async -> Bool {
        // A failure is a disk fault; the deletion itself is committed, and `sweep` retries.
        let isTruncated = (try? await database.truncateWAL(ignoringBackOff: evenSoon)) ?? false
        owesTruncation.store(!isTruncated, ordering: .relaxed)
        return isTruncated
    }

    private static func check(
        _ limit: (quotas: Quotas, vault: VaultID), _ before: VaultUsage, _ db: Connection
    ) throws {
        let after = try usage(of: limit.vault, db)
        if let quota = VaultUsage.exceeded(limit.quotas, before: before, after: after) {
            throw VaultError.quotaExceeded(quota, limit.quotas[quota])
        }
    }

    /// Maps disk faults to read-only errors.
    private func refusal(_ error: SQLiteError) -> any Error {
        switch error.cause {
        case .full: VaultError.readOnly(NodeHealth.Fault.diskFull.rawValue)
        case .io: VaultError.readOnly(NodeHealth.Fault.ioError.rawValue)
        case .damaged: VaultError.readOnly(NodeHealth.Fault.damaged.rawValue)
        case .busy, .access, .constraint, .other: error
        }
    }
}

extension NodeHealth {
    /// Notes the disk fault that a database error indicates, if any.
    ///
    /// - Returns: Whether the mode changed.
    package func note(_ error: any Error) -> Bool {
        if error is ForeignWrite { return note(.foreignWrite) }
        guard let error = error as? SQLiteError else { return false }
        switch error.cause {
        case .full: return note(.diskFull)
        case .io: return note(.ioError)
        case .damaged: return note(.damaged)
        case .busy, .access, .constraint, .other: return false
        }
    }
}

extension Mutation {
    fileprivate var quotas: (quotas: Quotas, vault: VaultID)? {
        if case .stayWithin(let quotas, let vault) = self { (quotas, vault) } else { nil }
    }
}
