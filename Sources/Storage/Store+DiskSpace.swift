package import Auth
import SQLite
import Synchronization
import Vault
import VaultFormat

/// Admission of commits by free disk space: see decision 25.
extension Store {
    /// Decides what may be performed in the node's current mode: everything; only what revokes access, frees space or updates
    /// counters; or nothing.
    ///
    /// - Returns: The mutations, and whether the free space is within the part reserved for revocations.
    func admitted(
        _ mutations: [Mutation], _ lines: [SealedAuditLine], of vault: VaultID?, isOwn: Bool
    ) throws -> (mutations: [Mutation], isLast: Bool) {
        switch health.mode {
        case .normal:
            return (mutations, false)
        case .readOnly(let fault):
            guard mutations.addNothing else { throw VaultError.readOnly(fault.rawValue) }
            let mutations = mutations.filter { $0.direction != .savesTime }
            guard !mutations.isEmpty || !lines.isEmpty, let free = freeSpace() else { return (mutations, false) }
            if isOwn { return (mutations, false) }
            let isLast =
                free < [Mutation].roomForReads && mutations.contains { [.reduces, .tidies].contains($0.direction) }
            let count = mutations.revokeAccess ? vault.flatMap { vault in lastCommits.withLock { $0[vault] } } ?? 0 : 0
            guard free >= (mutations.room == 0 ? mutations.room(after: count) : mutations.room) else {
                if mutations.revokeAccess, let vault { readBlocked.withLock { _ = $0.insert(vault) } }
                throw VaultError.readOnly(NodeHealth.Fault.diskFull.rawValue)
            }
            return (mutations, isLast)
        case .closed(let fault):
            throw VaultError.readOnly(fault.rawValue)
        }
    }

    /// Refuses a deletion or replacement whose WAL pages would not fit on the disk: begun without space, it would fill the disk and
    /// fail. Revocations are always allowed, because their large parts follow after the commit.
    ///
    /// `floor`: Bytes that must stay free; checked here again, because other commits may have run since the admission.
    static func requireDiskSpace(
        for mutations: [Mutation], _ lines: [SealedAuditLine], floor: Int64, _ freeSpace: () -> Int64?, _ db: Connection
    ) throws {
        guard !mutations.revokeAccess else { return }
        let written = try pages(of: mutations, lines, db)
        guard written > 1 << 18 || floor > 0, let free = freeSpace() else { return }
        let isLarge = written > 1 << 18
        guard free >= (isLarge ? written + written / 4 + 8 << 20 : written + floor) else {
            throw VaultError.readOnly(NodeHealth.Fault.diskFull.rawValue)
        }
    }

    /// Estimates the bytes of the pages that deletions and narrowing changes touch.
    private static func pages(of mutations: [Mutation], _ lines: [SealedAuditLine], _ db: Connection) throws -> Int64 {
        let narrow = mutations.narrow
        // The audit line lists the readers of each field.
        var written: Int64 = narrow ? lines.reduce(0) { $0 + 2 * Int64($1.body.count) } : 0
        var drops: [EntryID: Int] = [:]
        for mutation in mutations {
            switch mutation {
            case .deleteEntry(let id): written += try pages(of: id, db)
            case .deleteValues(let places): for place in places { written += try pages(of: place, db) }
            case .replaceEnvelope(let place, _): written += try pages(of: place, db)
            case .dropAgentWraps(let id, nil, _, _): written += try pages(ofWrapsOf: id, db)
            case .dropAgentWraps(let id, let part?, let owner, _) where narrow:
                drops[id, default: 0] += try agents(holding: part, of: id, owner, db)
            case .dropWrap(let id, _, _, _) where narrow: drops[id, default: 0] += 1
            // The start of a row; a page has four or more.
            case .removePart where narrow: written += page / 4
            case .putValue(let value) where narrow: written += 2 * pages(ofBox: Int64(value.box.count))
            case .replaceTerms(let id, _, let terms) where narrow:
                let (gone, new) = try difference(of: terms, from: id, db)
                written += Int64(gone.count + new.count) * page
            default: continue
            }
        }
        // Each wrap is in the table and in an index, and the entry's record names its reader.
        for (entry, count) in drops { written += page + min(Int64(count) * 2 * page, try pages(ofWrapsOf: entry, db)) }
        return written
    }

    private static let page: Int64 = 8_192

    /// Includes values, search terms (nearly each on a page of its own) and wraps.
    private static func pages(of entry: EntryID, _ db: Connection) throws -> Int64 {
        let values = try db.all("SELECT length(box) FROM value WHERE entry = ?", .blob(entry.bytes)) { $0.integer(0) }
        let terms = try db.first("SELECT count(*) FROM term WHERE entry = ?", .blob(entry.bytes)) { $0.integer(0) } ?? 0
        return try values.reduce(0) { $0 + pages(ofBox: $1) } + terms * page + pages(ofWrapsOf: entry, db)
    }

    private static func agents(
        holding part: PartID, of entry: EntryID, _ owner: HolderID, _ db: Connection
    ) throws -> Int {
        try db.first(
            "SELECT count(*) FROM wrap WHERE entry = ? AND field = ? AND part = ? AND holder <> ?", .blob(entry.bytes),
            .blob(part.field.bytes), .part(part.part), .blob(owner.bytes)
        ) { $0.int(0) } ?? 0
    }

    /// A key holder's wraps for an entry are adjacent in the table and in its indexes.
    private static func pages(ofWrapsOf entry: EntryID, _ db: Connection) throws -> Int64 {
        try db.first(
            "SELECT count(*) AS wraps, count(DISTINCT holder) AS holders FROM wrap WHERE entry = ?",
            .blob(entry.bytes)
        ) { try $0.integer("wraps") * 400 + $0.integer("holders") * 3 * page } ?? 0
    }

    private static func pages(of place: FieldPlace, _ db: Connection) throws -> Int64 {
        try db.first(
            "SELECT length(box) FROM value WHERE entry = ? AND field = ? AND part = ? AND version = ?",
            .blob(place.entry.bytes), .blob(place.field.bytes), .part(place.part), .integer(place.version)
        ) { pages(ofBox: $0.integer(0)) } ?? 0
    }

    /// Bytes of the pages of a secret box: one of more than about two kilobytes has overflow pages.
    private static func pages(ofBox length: Int64) -> Int64 {
        length > 1_900 ? (length + 2 * page - 1) / page * page : length + 300
    }

    /// Whether there is space to record sign-in attempts.
    package var roomForSignIns: RoomForSignIns {
        guard case .readOnly = health.mode, let free = freeSpace() else { return .plenty }
        return free < [Mutation].roomForSignIns ? .none : health.mode == .readOnly(.diskFull) ? .scarce : .plenty
    }

    /// Limits the WAL while the disk is full: at its usual size it would use the space reserved for revocations. A failure is
    /// retried with the next tick.
    ///
    /// - Returns: Whether the WAL was truncated.
    package func limitWAL(_ isFull: Bool) async -> Bool {
        if !isFull {
            lastCommits.withLock { $0 = [:] }
            readBlocked.withLock { $0 = [] }
        }
        try? await database.maintain { try $0.script("PRAGMA wal_autocheckpoint = \(isFull ? 64 : 1_000)") }
        return isFull ? (try? await database.truncateWAL(ignoringBackOff: true)) ?? false : true
    }

    /// Whether reads of the vault, metadata included, are refused because a revocation could not be committed.
    /// This includes free space below the sign-in limit, where an owner without a session cannot revoke anything.
    func isReadBlocked(_ vault: VaultID) -> Bool {
        if health.isExhausted || readBlocked.withLock({ $0.contains(vault) }) { return true }
        if case .none = roomForSignIns { return true }
        return false
    }
}

extension [Mutation] {
    /// Whether the mutations take access from somebody.
    var takeAccess: Bool {
        contains { mutation in
            switch mutation {
            case .switchOwner, .switchAgent: true
            default: mutation.direction == .reduces
            }
        }
    }

    /// Whether the mutations revoke access and do nothing that could be done later.
    var revokeAccess: Bool {
        contains { $0.direction == .reduces } && !contains { $0.direction == .tidies }
    }
}
