import Auth
package import SQLite
import Synchronization
package import Vault
package import VaultFormat

/// The vault's rows in SQLite. Knows columns; knows no rules and no keys.
package final class Store: Sendable {
    package let database: Database
    package let journal: AuditJournal
    package let health: NodeHealth
    let now: @Sendable () -> Int64
    let freeSpace: @Sendable () -> Int64?
    /// A reader kept deleted bytes in the log; `sweep` tries again.
    let owesTruncation = Atomic(false)
    /// What each vault took away or deleted in the room that is kept for that, since the disk was full.
    let lastCommits = Mutex<[VaultID: Int]>([:])
    /// Vaults of which the disk had no room to take access away when that was last asked for.
    let shut = Mutex<Set<VaultID>>([])
    /// How many lines each vault had when they were last counted, up to which sequence.
    let lineCounts = Mutex<[VaultID: (sequence: Int64, count: Int64)]>([:])

    /// Opens a file that `create` made, at the schema's last version.
    ///
    /// `freeSpace`: Bytes that the disk has left; nil when that is not known.
    package init(
        path: String, journal: AuditJournal, health: NodeHealth, now: @escaping @Sendable () -> Int64,
        freeSpace: @escaping @Sendable () -> Int64? = { nil }
    ) throws {
        self.journal = journal
        self.health = health
        self.now = now
        self.freeSpace = freeSpace
        database = try Database(path: path, migrations: Schema.migrations, observer: journal)
        try journal.load(from: database)
    }

    /// The stored node key of a file, which must be opened before anything else can be.
    package static func nodeKey(path: String) throws -> [UInt8] {
        let connection = try Connection(path: path, access: .readOnly)
        guard let key = try connection.first("SELECT node_key FROM node WHERE id = 1", row: { $0.blob(0) }) else {
            throw VaultError.damaged("the file holds no node key")
        }
        return key
    }

    /// Creates the file of a new node.
    package static func create(path: String, root: RootKeys, now: Int64) throws {
        let stored = NodeKeys.makeStored(root: root)
        let keys = try NodeKeys(root: root, stored: stored)
        let database = try Connection(path: path, access: .readWrite)
        // A sealed key has room among others in a page of this size, and a page to itself in one of SQLite's usual size.
        try database.script("PRAGMA page_size = 8192;")
        // What is deleted can be given back to the disk, some pages at a time.
        try database.script("PRAGMA auto_vacuum = INCREMENTAL;")
        try database.script("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;")
        try Migration.apply(Schema.migrations, to: database)
        try database.run("BEGIN IMMEDIATE")
        try database.run("INSERT INTO node (id, node_key, created) VALUES (1, ?, ?)", .blob(stored), .integer(now))
        try AuditJournal.writeHead(AuditHead(epoch: 1, chain: .start), key: keys.auditHeadKey, database)
        try database.run("COMMIT")
    }

    // MARK: Committing

    package func commit(_ mutations: [Mutation], _ lines: [SealedAuditLine]) async throws {
        try await commit(mutations, lines, isOwn: false)
    }

    /// What the node says of itself: it needs no room, since nobody can make it say more.
    package func record(_ lines: [SealedAuditLine]) async throws { try await commit([], lines, isOwn: true) }

    /// `isOwn`: The node's own doing, which needs no room kept for others.
    func commit(_ mutations: [Mutation], _ lines: [SealedAuditLine], isOwn: Bool) async throws {
        let vault = lines.lazy.compactMap(\.vault).first
        let (mutations, isLast) = try admitted(mutations, lines, of: vault, isOwn: isOwn)
        guard !mutations.isEmpty || !lines.isEmpty else { return }
        do {
            // By itself where there may be little room: what others of its batch write cannot be seen yet.
            let isAlone = health.mode != .normal && mutations.contains { $0.direction == .tidies }
            let floor = isAlone && !isOwn ? [Mutation].roomForTidying : 0
            try await database.write(size: isAlone || mutations.areMany ? .large : .small) {
                [journal, now, freeSpace] db in
                try Self.demandRoom(for: mutations, lines, floor: floor, freeSpace, db)
                let limits = mutations.compactMap(\.quotas)
                let before = try limits.map { try Self.usage(of: $0.vault, db) }
                let reduced = try Self.perform(mutations, now(), db)
                // The last bytes are for what takes access away or frees room, not for what says so.
                if isLast, !reduced { throw VaultError.readOnly(NodeHealth.Fault.diskFull.rawValue) }
                for (limit, before) in zip(limits, before) { try Self.check(limit, before, db) }
                try journal.append(lines, db)
            }
        } catch let error as SQLiteError {
            // In a batch of several the journal hears of a failed commit, not of a failed job.
            journal.report(error)
            // What adds nothing breaks no rule of the schema, unless somebody put a row or a rule there.
            if error.cause == .constraint, mutations.addNothing, !mutations.narrow {
                journal.report(ForeignWrite(finding: "a rule of the schema is broken: \(error)"))
                throw VaultError.readOnly(NodeHealth.Fault.foreignWrite.rawValue)
            }
            if error.cause == .full {
                // Where access cannot be taken away any more, it is not given either.
                if mutations.takesAccess { health.noteExhaustion() }
                // What a commit that failed wrote to the log is in the way of the next.
                _ = try? await database.truncateWAL(ignoringBackOff: true)
            }
            throw refusal(error)
        } catch is ForeignWrite {
            throw VaultError.readOnly(NodeHealth.Fault.foreignWrite.rawValue)
        }
        health.endExhaustion()
        // What is moved to the trash stays in the log otherwise, until the disk is looked at again.
        if health.mode == .readOnly(.diskFull), mutations.contains(where: { $0.direction == .tidies }) {
            _ = try? await database.truncateWAL()
        }
        guard let vault, mutations.takesAccess else { return }
        if isLast { lastCommits.withLock { $0[vault, default: 0] += 1 } }
        shut.withLock { _ = $0.remove(vault) }
    }

    /// - Returns: Whether any of them took access away or freed room: one that finds nothing to delete does neither.
    private static func perform(_ mutations: [Mutation], _ now: Int64, _ db: Connection) throws -> Bool {
        var reduced = mutations.narrow
        for mutation in mutations {
            let before = db.totalChanges
            try perform(mutation, now, db)
            if [.reduces, .tidies].contains(mutation.direction), db.totalChanges != before { reduced = true }
        }
        return reduced
    }

    package func truncateWAL() async { await truncateWAL(evenSoon: false) }

    /// `evenSoon`: Also within some seconds after a reader kept it from being done.
    func truncateWAL(evenSoon: Bool) async {
        // A failure here is the disk's; what was to be done is done, and this is tried again.
        let isForgotten = (try? await database.truncateWAL(ignoringBackOff: evenSoon)) ?? false
        owesTruncation.store(!isForgotten, ordering: .relaxed)
    }

    private static func check(
        _ limit: (quotas: Quotas, vault: VaultID), _ before: VaultUsage, _ db: Connection
    ) throws {
        let after = try usage(of: limit.vault, db)
        if let quota = VaultUsage.exceeded(limit.quotas, before: before, after: after) {
            throw VaultError.quotaExceeded(quota, limit.quotas[quota])
        }
    }

    /// A commit that the disk refused is not the principal's fault.
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
    /// What an error from the database says about the node; nothing, if it was the principal's.
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
