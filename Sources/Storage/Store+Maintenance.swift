import Auth
import SQLite
import Synchronization
package import Vault
package import VaultFormat

/// Periodic maintenance of the file.
extension Store {
    /// Deletes expired sessions and idempotency records, finishes deletions that were interrupted, and truncates the WAL if an
    /// earlier deletion could not.
    package func sweep(sessionIdle: Int64, audit: AuditSealer) async throws {
        let time = now()
        try await endExpiredSessions(before: time, idleSince: time - sessionIdle, audit)
        // Also on a full disk: failures of unauthenticated clients can be a million rows.
        try await deleteExpiredAbuse(before: time)
        guard health.mode == .normal else { return }
        // Each may have half a megabyte.
        try await deleteInParts(
            """
            DELETE FROM answer WHERE (holder, key) IN (SELECT holder, key FROM answer WHERE created < ?1 LIMIT ?2)
            """, .integer(time - IdempotencyRecords.lifetime), most: 20, few: 1)
        let owed = owedHolders.withLock { $0 }
        for holder in owed { await clear(holder) }
        if owesTruncation.load(ordering: .relaxed) || !owed.isEmpty { await truncateWAL(evenSoon: true) }
    }

    /// Deletes sessions that expired or were idle, with one line per vault.
    private func endExpiredSessions(before time: Int64, idleSince: Int64, _ audit: AuditSealer) async throws {
        let expired = try await read { db, check in
            try db.all(
                """
                SELECT c.* FROM credential c LEFT JOIN last_use u ON u.credential = c.id
                WHERE kind = 'session' AND (expires < ? OR COALESCE(u.at, created) < ?)
                """, .integer(time), .integer(idleSince)
            ) { row in
                (vault: try Self.id(row.blob("vault")) as VaultID, session: try Self.id(row.blob("id")) as CredentialID)
            }
        }
        for (vault, sessions) in Dictionary(grouping: expired, by: \.vault) {
            var event = AuditEvent(.sessionExpire, by: .init(.node))
            event.count = sessions.count
            do {
                try await commit(
                    sessions.map { .deleteCredential($0.session) }, [try audit.seal(event, vault: vault)], isOwn: true)
            } catch VaultError.vaultDamaged {
                // Nobody uses its sessions, and those of other vaults must end.
            }
        }
    }

    /// Deletes failure counts that have expired, in the order of their keys, so that each part continues where the last one ended.
    private func deleteExpiredAbuse(before time: Int64) async throws {
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
            guard let end, try await hasSpaceForNextPart() else { return }
            last = end
        }
    }

    /// Whether the next part of a deletion may begin. A deletion first grows the WAL, so on a full disk the WAL is truncated before
    /// the next part; if a reader prevents that, the rest is left for the next run.
    func hasSpaceForNextPart() async throws -> Bool {
        guard isDiskSpaceLow else { return true }
        return try await database.truncateWAL(ignoringBackOff: true)
    }

    /// Whether deletions must be split into small parts: the disk is full, or a large deletion could fill it.
    var isDiskSpaceLow: Bool {
        health.mode == .readOnly(.diskFull) || (freeSpace().map { $0 < 64 << 20 } ?? false)
    }

    /// The failure count of a key.
    package func abuseRow(_ key: [UInt8]) throws -> AbuseRow? {
        try database.lookUp { db in
            try db.first("SELECT key, level, at, forgiven FROM abuse WHERE key = ?", .blob(key)) { row in
                AbuseRow(
                    key: try row.blob("key"), level: try row.integer("level"), at: try row.integer("at"),
                    expires: try row.integer("forgiven"))
            }
        }
    }

    package func vaults() async throws -> [VaultID] {
        try await database.read { db in
            try db.all("SELECT vault FROM account WHERE owner <> x''") { try Self.id($0.blob(0)) }
        }
    }

    /// Entries of a vault that have been in a state since before `time`, oldest first.
    package func entries(
        of vault: VaultID, in state: EntryState, since time: Int64, limit: Int
    ) async throws -> [EntryRow] {
        try await read { db, check in
            try db.all(
                """
                SELECT * FROM entry WHERE vault = ? AND state = ? AND COALESCE(deleted, updated) < ?
                ORDER BY ordinal LIMIT ?
                """,
                .blob(vault.bytes), .integer(state.rawValue), .integer(time), .integer(limit)
            ) { row in
                try check.row(row, in: .entry, of: vault, db)
                return try Self.entryRow(row)
            }
        }
    }

    /// Values of a vault to be pruned: superseded more than `versions` versions ago, or before `time`. Versions by agents displace
    /// only versions by agents.
    package func history(
        of vault: VaultID, beyond versions: Int, before time: Int64, limit: Int
    ) async throws -> [FieldPlace] {
        // Scans every value of the vault, so it runs on the reader for long queries. The query visits each entry once.
        try await database.read(lasting: .long) { db in
            try db.all(
                """
                WITH agents AS MATERIALIZED (
                    -- Revoked agents have left a record with their name.
                    SELECT DISTINCT author AS id FROM value a WHERE vault = ?1
                        AND EXISTS (SELECT 1 FROM value r WHERE r.entry = a.author)),
                cut AS MATERIALIZED (
                    SELECT e.id AS entry, e.version AS newest, e.updated AS updated, (
                        SELECT DISTINCT o.version FROM value o
                        WHERE o.entry = e.id AND o.author NOT IN (SELECT id FROM agents)
                        ORDER BY o.version DESC LIMIT 1 OFFSET ?2 - 1) AS owners
                    FROM entry e WHERE e.vault = ?1)
                SELECT v.entry, v.field, v.part, v.version, v.vault, v.tier FROM cut c
                CROSS JOIN value v ON v.entry = c.entry
                LEFT JOIN value n ON n.entry = v.entry AND n.field = v.field AND n.part = v.part AND n.version = (
                    SELECT MIN(version) FROM value
                    WHERE entry = v.entry AND field = v.field AND part = v.part AND version > v.version)
                WHERE v.is_current = 0
                    AND (COALESCE(n.written, c.updated) < ?3 OR n.version <= c.newest - ?2 AND (
                        v.version < c.owners OR v.author IN (SELECT id FROM agents)))
                LIMIT ?4
                """,
                .blob(vault.bytes), .integer(versions), .integer(time), .integer(limit), row: Self.place)
        }
    }

    /// Begins a transaction, with which the journal notices what another program has committed.
    package func noticeForeignCommits() async throws { try await database.write { _ in } }

    /// Runs a trivial query on a reader.
    package func ping() async throws {
        _ = try await database.read { db in try db.first("SELECT 1") { $0.integer(0) } }
    }

    /// The number of valid sessions.
    package func activeSessions(idleLimit: Int64) async throws -> Int {
        let time = now()
        return try await database.read { db in
            try db.first(
                """
                SELECT COUNT(*) FROM credential c LEFT JOIN last_use u ON u.credential = c.id
                WHERE kind = 'session' AND expires > ? AND COALESCE(u.at, created) > ?
                """,
                .integer(time), .integer(time - idleLimit)
            ) { $0.int(0) } ?? 0
        }
    }

    /// Repeats a deletion of `most` rows (`?2`) until none is left. Others commit between its parts.
    ///
    /// `few`: Rows at a time while disk space is low, so that a part writes a few hundred kilobytes: a row may touch pages of its own
    /// in the table and in each index.
    func deleteInParts(
        _ sql: StaticString, _ id: Value, most: Int = 500, few: Int = 20, as size: JobSize = .deferredDeletion
    ) async throws {
        while true {
            let isShort = isDiskSpaceLow
            if isShort, let free = freeSpace(), free < (few == 1 ? 1 << 20 : 1 << 19) { break }
            let count = isShort ? few : most
            guard try await database.write(size: size, { try $0.run(sql, id, .integer(count)) }) > 0 else { return }
            guard try await hasSpaceForNextPart() else { break }
        }
        throw VaultError.readOnly(NodeHealth.Fault.diskFull.rawValue)
    }

    /// Resumes the deletion of closed accounts that a stop or a full disk interrupted.
    package func eraseClosedAccounts() async throws {
        let closed: [VaultID] = try await database.read { db in
            try db.all("SELECT vault FROM account WHERE owner = x''") { try Self.id($0.blob(0)) }
        }
        for vault in closed { await erase(vault) }
    }

    /// Deletes key holders that interrupted operations left behind. Runs at the start, before any change of password or revocation.
    /// In parts, because there may be many rows.
    package func deleteAbandonedHolders() async throws {
        let abandoned: [HolderID] = try await database.read { db in
            try db.all(
                """
                SELECT id FROM holder WHERE vault IN (SELECT vault FROM account WHERE owner <> x'')
                    AND id NOT IN (SELECT owner FROM account) AND id NOT IN (SELECT holder FROM agent)
                """, row: { try Self.id($0.blob(0)) })
        }
        for holder in abandoned { _ = await clear(holder, as: .deferredDeletion) }
        // Also if there are none: the process may have ended between their deletion and the truncation.
        await truncateWAL(evenSoon: true)
    }

}
