import Auth
package import SQLite
import Synchronization
package import Vault
package import VaultFormat

/// What a node does to its file without anybody asking.
extension Store {
    /// Deletes what has run out, sessions and remembered answers, and what an earlier deletion had to leave in the log.
    package func sweep(sessionIdle: Int64) async throws {
        let time = now()
        try await commit([.deleteSessionsExpired(before: time, idleSince: time - sessionIdle)], [], isOwn: true)
        // Also on a full disk, where strangers must not eat up what is left. A flood leaves a million of them.
        try await deleteForgiven(before: time)
        guard health.mode == .normal else { return }
        // Each may be half a megabyte, and there are those of all tenants.
        try await deleteInParts(
            """
            DELETE FROM answer WHERE (holder, key) IN (SELECT holder, key FROM answer WHERE created < ?1 LIMIT ?2)
            """, .integer(time - IdempotencyRecords.lifetime), most: 20, few: 1)
        if owesTruncation.load(ordering: .relaxed) { await truncateWAL(evenSoon: true) }
    }

    /// From key to key, so that each part goes on where the last one ended.
    private func deleteForgiven(before time: Int64) async throws {
        var last: [UInt8] = []
        while true {
            let after = last
            let end = try await database.write(size: .deferredDeletion) { db in
                let some = try db.all(
                    "SELECT key FROM abuse WHERE key > ?1 AND forgiven < ?2 ORDER BY key LIMIT 500", .blob(after),
                    .integer(time)
                ) { $0.blob(0) }
                guard let end = some.last else { return [UInt8]?.none }
                try db.run(
                    "DELETE FROM abuse WHERE key > ?1 AND key <= ?2 AND forgiven < ?3", .blob(after), .blob(end),
                    .integer(time))
                return end
            }
            guard let end, try await hasRoomForMore() else { return }
            last = end
        }
    }

    /// What is deleted takes room in the log first. On a full disk the next part has to wait until that is free again: for the
    /// next time when a reader keeps it.
    private func hasRoomForMore() async throws -> Bool {
        guard hasLittleRoom else { return true }
        return try await database.truncateWAL(ignoringBackOff: true)
    }

    /// Whether what is deleted had better go in small parts: the disk is full, or could get so by it, whatever else is wrong.
    private var hasLittleRoom: Bool {
        health.mode == .readOnly(.diskFull) || (freeSpace().map { $0 < 64 << 20 } ?? false)
    }

    /// Failures that were counted under a key.
    package func abuseRow(_ key: [UInt8]) throws -> AbuseRow? {
        try database.lookUp { db in
            try db.first("SELECT key, level, at, forgiven FROM abuse WHERE key = ?", .blob(key)) { row in
                AbuseRow(
                    key: try row.blob("key"), level: try row.integer("level"), at: try row.integer("at"),
                    forgiven: try row.integer("forgiven"))
            }
        }
    }

    /// The newest line of the log; nil in an empty one.
    ///
    /// Another old line in its place would say something else of how the node ended, so it must lead to the head.
    ///
    /// - Throws: `VaultError.damaged` when it does not.
    package func lastAuditLine() async throws -> SealedAuditLine? {
        let head = journal.head.chain
        if head.sequence == 0 { return nil }
        let lines = try await database.read { db in
            try db.all(
                "SELECT sequence, time, vault, body, hash FROM audit WHERE sequence > ? - 2 ORDER BY sequence",
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

    package func vaults() async throws -> [VaultID] {
        try await database.read { db in
            try db.all("SELECT vault FROM account WHERE owner <> x''") { try Self.id($0.blob(0)) }
        }
    }

    /// Entries of a vault that have been in a state since before a time, oldest first.
    package func entries(
        of vault: VaultID, in state: EntryState, since time: Int64, limit: Int
    ) async throws -> [EntryRow] {
        try await database.read { db in
            try db.all(
                """
                SELECT id, vault, version, state, created, updated, deleted, depositor, ordinal FROM entry
                WHERE vault = ? AND state = ? AND COALESCE(deleted, updated) < ? ORDER BY ordinal LIMIT ?
                """,
                .blob(vault.bytes), .integer(state.rawValue), .integer(time), .integer(limit), row: Self.entryRow)
        }
    }

    /// Values of a vault that are neither current nor part of a version that is kept: superseded more than `versions`
    /// versions ago, or before a time. What agents wrote pushes out only what agents wrote.
    package func history(
        of vault: VaultID, beyond versions: Int, before time: Int64, limit: Int
    ) async throws -> [FieldPlace] {
        // Through every value of the vault: on the reader for what takes long. Once through each entry, however it is made.
        try await database.read(lasting: .long) { db in
            try db.all(
                """
                WITH agents AS MATERIALIZED (
                    -- Those that are no more have left their names.
                    SELECT DISTINCT author AS id FROM value a WHERE vault = ?1
                        AND EXISTS (SELECT 1 FROM value r WHERE r.entry = a.author)),
                cut AS MATERIALIZED (
                    SELECT e.id AS entry, e.version AS newest, e.updated AS updated, (
                        SELECT DISTINCT o.version FROM value o
                        WHERE o.entry = e.id AND o.author NOT IN (SELECT id FROM agents)
                        ORDER BY o.version DESC LIMIT 1 OFFSET ?2 - 1) AS owners
                    FROM entry e WHERE e.vault = ?1)
                SELECT v.entry, v.field, v.version, v.vault, v.tier FROM cut c CROSS JOIN value v ON v.entry = c.entry
                LEFT JOIN value n ON n.entry = v.entry AND n.field = v.field AND n.version = (
                    SELECT MIN(version) FROM value WHERE entry = v.entry AND field = v.field AND version > v.version)
                WHERE v.is_current = 0
                    AND (COALESCE(n.written, c.updated) < ?3 OR n.version <= c.newest - ?2 AND (
                        v.version < c.owners OR v.author IN (SELECT id FROM agents)))
                LIMIT ?4
                """,
                .blob(vault.bytes), .integer(versions), .integer(time), .integer(limit), row: Self.place)
        }
    }

    /// Returns when a reader could be had and answered.
    package func ping() async throws {
        _ = try await database.read { db in try db.first("SELECT 1") { $0.integer(0) } }
    }

    /// Sessions that would be let in.
    package func activeSessions(idleLimit: Int64) async throws -> Int {
        let time = now()
        return try await database.read { db in
            try db.first(
                "SELECT COUNT(*) FROM credential WHERE kind = 'session' AND expires > ? AND last_used > ?",
                .integer(time), .integer(time - idleLimit)
            ) { $0.int(0) } ?? 0
        }
    }

    package var mostDropped: Int { hasLittleRoom ? 12 : 400 }

    package func drop(
        _ places: [FieldPlace], of agent: HolderID, isAwaited: @Sendable () -> Bool
    ) async throws -> Bool {
        var rest = places[...]
        while !rest.isEmpty {
            if hasLittleRoom {
                if isAwaited() { return false }
                if let free = freeSpace(), free < [Mutation].roomForTidying { return false }
            }
            let part = rest.prefix(mostDropped)
            rest = rest.dropFirst(part.count)
            try await commit([.narrows] + part.map { .dropWrap($0.entry, $0.field, agent) }, [])
            // Done in any case: nobody is better off with half of it.
            try? await WorkQueue.breathe()
            guard hasLittleRoom else { continue }
            let isCut = try await database.truncateWAL(ignoringBackOff: true)
            // A reader keeps the log for a while, which does not matter as long as there is room for some of it.
            if !isCut, let free = freeSpace(), free < 16 << 20 { return rest.isEmpty }
        }
        return true
    }

    package func clear(_ holder: HolderID) async { _ = await clear(holder, as: .large) }

    /// `size`: Whoever has asked for it waits for `.large`.
    ///
    /// - Returns: Whether nothing is left of it. It would take too much at once if it went with what it hangs on.
    private func clear(_ holder: HolderID, as size: JobSize) async -> Bool {
        let id = Value.blob(holder.bytes)
        do {
            let isPresent = try await database.read { db in
                try db.first(
                    "SELECT 1 FROM account WHERE owner = ?1 UNION ALL SELECT 1 FROM agent WHERE holder = ?1", id
                ) { _ in true }
            }
            guard isPresent == nil else { return true }
            try await deleteWraps(of: holder, as: size)
            try await deleteInParts(
                "DELETE FROM answer WHERE holder = ?1 AND key IN (SELECT key FROM answer WHERE holder = ?1 LIMIT ?2)",
                id, most: 20, few: 1, as: size)
            _ = try await database.write(size: size) { try $0.run("DELETE FROM holder WHERE id = ?", id) }
            return true
        } catch {
            // Nobody opens it: what is left takes room until the next start, and no more.
            return false
        }
    }

    private func deleteWraps(of holder: HolderID, as size: JobSize) async throws {
        try await deleteInParts(
            """
            DELETE FROM wrap WHERE holder = ?1 AND (entry, field, version) IN (
                SELECT entry, field, version FROM wrap WHERE holder = ?1 LIMIT ?2)
            """, .blob(holder.bytes), as: size)
    }

    /// Runs a deletion until nothing is left for it, `most` rows at a time (`?2`). Others commit between its parts.
    ///
    /// `few`: Rows at a time on a disk with little room, so that a part writes some hundred kilobytes: a row stands on pages of
    /// its own, in the table and in its indexes.
    private func deleteInParts(
        _ sql: StaticString, _ id: Value, most: Int = 500, few: Int = 20, as size: JobSize = .deferredDeletion
    ) async throws {
        while true {
            let isShort = hasLittleRoom
            if isShort, let free = freeSpace(), free < (few == 1 ? 1 << 20 : 1 << 19) { break }
            let count = isShort ? few : most
            guard try await database.write(size: size, { try $0.run(sql, id, .integer(count)) }) > 0 else { return }
            guard try await hasRoomForMore() else { break }
        }
        throw VaultError.readOnly(NodeHealth.Fault.diskFull.rawValue)
    }

    /// Of the one that comes next; nil when there is none.
    private func sizeOfAValue(of vault: VaultID) async throws -> Int64? {
        try await database.read { db in
            try db.first("SELECT length(box) FROM value WHERE vault = ? LIMIT 1", .blob(vault.bytes)) { $0.integer(0) }
        }
    }

    package func erase(_ vault: VaultID) async {
        let id = Value.blob(vault.bytes)
        do {
            let holders: [HolderID] = try await database.read { db in
                try db.all("SELECT id FROM holder WHERE vault = ?", id) { try Self.id($0.blob(0)) }
            }
            // What is small first, so that there is room for what follows.
            for holder in holders { try await deleteWraps(of: holder, as: .deferredDeletion) }
            // Fewer of these: each may be large.
            if !hasLittleRoom {
                try await deleteInParts(
                    """
                    DELETE FROM value WHERE (entry, field, version) IN (
                        SELECT entry, field, version FROM value WHERE vault = ?1 LIMIT ?2)
                    """, id, most: 50)
            }
            while let size = try await sizeOfAValue(of: vault) {
                // What is deleted is written to the log first, which must not fill the disk.
                guard freeSpace().map({ $0 > 2 * size + 1 << 18 }) ?? true else {
                    throw VaultError.readOnly(NodeHealth.Fault.diskFull.rawValue)
                }
                _ = try await database.write(size: .deferredDeletion) { db in
                    try db.run(
                        """
                        DELETE FROM value WHERE (entry, field, version) IN (
                            SELECT entry, field, version FROM value WHERE vault = ?1 LIMIT 1)
                        """, id)
                }
                guard try await hasRoomForMore() else { return }
            }
            try await deleteInParts(
                "DELETE FROM term WHERE vault = ?1 AND (term, entry) IN (SELECT term, entry FROM term WHERE vault = ?1 LIMIT ?2)",
                id)
            try await deleteInParts(
                "DELETE FROM entry WHERE ordinal IN (SELECT ordinal FROM entry WHERE vault = ?1 LIMIT ?2)", id)
            for holder in holders {
                // Whatever is left would go with the account, all at once.
                guard await clear(holder, as: .deferredDeletion) else { return }
            }
            // Whatever else there is hangs on the account.
            try await database.write { _ = try $0.run("DELETE FROM account WHERE vault = ? AND owner = x''", id) }
        } catch {
            // Nobody opens it: what is left takes room until the next try, and no more.
        }
        await truncateWAL()
    }

    /// Of accounts that were closed, what was not deleted before the program ended or the disk refused.
    package func eraseClosedAccounts() async throws {
        let closed: [VaultID] = try await database.read { db in
            try db.all("SELECT vault FROM account WHERE owner = x''") { try Self.id($0.blob(0)) }
        }
        for vault in closed { await erase(vault) }
    }

    /// For the start, when no change of password and no revocation can be under way. In parts: there may be many rows.
    package func deleteAbandonedHolders() async throws {
        let abandoned: [HolderID] = try await database.read { db in
            try db.all(
                """
                SELECT id FROM holder WHERE vault IN (SELECT vault FROM account WHERE owner <> x'') AND iif(
                    is_owner, id NOT IN (SELECT owner FROM account), id NOT IN (SELECT holder FROM agent))
                """, row: { try Self.id($0.blob(0)) })
        }
        for holder in abandoned { _ = await clear(holder, as: .deferredDeletion) }
    }

    /// Every audit line, oldest first, in pages.
    package func forEachAuditLine(_ body: (StoredAuditLine) throws -> Void) async throws {
        var last: Int64 = 0
        while true {
            let after = last
            let page = try await database.read { db in
                try db.all(
                    "SELECT sequence, time, vault, body, hash FROM audit WHERE sequence > ? ORDER BY sequence LIMIT 500",
                    .integer(after), row: Self.auditLine)
            }
            guard let end = page.last else { return }
            for line in page { try body(line) }
            last = end.sequence
        }
    }

    /// Unix seconds of the newest line; 0 in an empty log.
    package func lastAuditTime() async throws -> Int64 {
        try await database.read { db in
            try db.first("SELECT time FROM audit ORDER BY sequence DESC LIMIT 1") { $0.integer(0) } ?? 0
        }
    }

    /// The boxes of all vaults' audit keys.
    package static func auditKeys(_ database: Connection) throws -> [VaultID: [UInt8]] {
        let rows = try database.all("SELECT vault, audit_key FROM account WHERE owner <> x''") { row in
            (try id(row.blob("vault")) as VaultID, try row.blob("audit_key"))
        }
        return Dictionary(rows) { first, _ in first }
    }

    /// Makes a file that came from a backup fit to serve: nobody is signed in, agents wait for their owner, and the
    /// log says that it begins anew. What happened after the backup is unknown, and nothing pretends otherwise.
    package static func adoptRestored(path: String, keys: NodeKeys, line: SealedAuditLine) throws {
        let db = try Connection(path: path, access: .readWrite)
        try db.script("PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA synchronous = FULL;")
        try Migration.apply(Schema.migrations, to: db)
        try db.run("BEGIN IMMEDIATE")
        var head = try AuditJournal.readHead(db, key: keys.auditHeadKey)
        head.epoch += 1
        head.chain.append(line)
        try db.run(
            "INSERT INTO audit (sequence, time, vault, body, hash) VALUES (?, ?, NULL, ?, ?)",
            .integer(head.chain.sequence), .integer(line.time), .blob(line.body), .blob(head.chain.hash))
        try AuditJournal.writeHead(head, key: keys.auditHeadKey, db)
        try db.run("DELETE FROM credential WHERE kind = 'session'")
        try db.run("UPDATE agent SET state = ?", .integer(StoredAgent.State.suspended.rawValue))
        try db.run("COMMIT")
        try db.script("PRAGMA journal_mode = DELETE")
    }
}
