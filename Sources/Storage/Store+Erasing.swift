import SQLite
import Synchronization
package import Vault
package import VaultFormat

/// Deletion of wraps, key holders and closed accounts, in parts between which others commit.
extension Store {
    package var mostDropped: Int { isDiskSpaceLow ? 12 : 400 }

    package func drop(
        _ places: [FieldPlace], of agent: PrincipalID, line: (Int) throws -> SealedAuditLine,
        hasUrgentWaiter: @Sendable () -> Bool
    ) async throws -> Bool {
        var rest = places[...]
        while !rest.isEmpty {
            if isDiskSpaceLow {
                if hasUrgentWaiter() { return false }
                if let free = freeSpace(), free < [Mutation].roomForTidying { return false }
            }
            let part = rest.prefix(mostDropped)
            rest = rest.dropFirst(part.count)
            try await commit(
                [.narrows] + part.map { .dropWrap($0.entry, $0.partID, agent, vault: $0.vault) }, [line(part.count)])
            // Errors are ignored: the deletion must not stop halfway.
            try? await WorkQueue.yieldIfNeeded()
            guard isDiskSpaceLow else { continue }
            let isCut = try await database.truncateWAL(ignoringBackOff: true)
            // While a reader prevents truncation the WAL grows, which is acceptable while there is space.
            if !isCut, let free = freeSpace(), free < 16 << 20 { return rest.isEmpty }
        }
        return true
    }

    @discardableResult
    package func clear(_ holder: HolderID) async -> Bool {
        let isCleared = await clear(holder, as: .large)
        owedHolders.withLock { owed in
            if isCleared { owed.remove(holder) } else { owed.insert(holder) }
        }
        return isCleared
    }

    /// Deletes a key holder with its wraps and idempotency records, in parts rather than by a cascade.
    ///
    /// `size`: `.large` when a request waits for it.
    ///
    /// - Returns: Whether it was deleted completely.
    func clear(_ holder: HolderID, as size: JobSize) async -> Bool {
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
            // The rest can no longer be opened, and is deleted later.
            return false
        }
    }

    private func deleteWraps(of holder: HolderID, as size: JobSize) async throws {
        try await deleteInParts(
            """
            DELETE FROM wrap WHERE holder = ?1 AND (entry, field, part, version) IN (
                SELECT entry, field, part, version FROM wrap WHERE holder = ?1 LIMIT ?2)
            """, .blob(holder.bytes), as: size)
    }

    /// The size of the vault's next value to delete; nil when none is left.
    private func sizeOfNextValue(of vault: VaultID) async throws -> Int64? {
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
            // Small rows first, to free space for the rest.
            for holder in holders { try await deleteWraps(of: holder, as: .deferredDeletion) }
            // Fewer at a time, because each may be large.
            if !isDiskSpaceLow {
                try await deleteInParts(
                    """
                    DELETE FROM value WHERE (entry, field, part, version) IN (
                        SELECT entry, field, part, version FROM value WHERE vault = ?1 LIMIT ?2)
                    """, id, most: 50)
            }
            while let size = try await sizeOfNextValue(of: vault) {
                // A deletion first grows the WAL, which must not fill the disk.
                guard freeSpace().map({ $0 > 2 * size + 1 << 18 }) ?? true else {
                    throw VaultError.readOnly(NodeHealth.Fault.diskFull.rawValue)
                }
                _ = try await database.write(size: .deferredDeletion) { db in
                    try db.run(
                        """
                        DELETE FROM value WHERE (entry, field, part, version) IN (
                            SELECT entry, field, part, version FROM value WHERE vault = ?1 LIMIT 1)
                        """, id)
                }
                guard try await hasSpaceForNextPart() else { return }
            }
            try await deleteInParts(
                "DELETE FROM term WHERE vault = ?1 AND (term, entry) IN (SELECT term, entry FROM term WHERE vault = ?1 LIMIT ?2)",
                id)
            try await deleteInParts(
                "DELETE FROM l2_entry WHERE vault = ?1 AND entry IN (SELECT entry FROM l2_entry WHERE vault = ?1 LIMIT ?2)",
                id)
            try await deleteInParts(
                "DELETE FROM entry WHERE ordinal IN (SELECT ordinal FROM entry WHERE vault = ?1 LIMIT ?2)", id)
            for holder in holders {
                // A cascade from the account would delete the rest at once.
                guard await clear(holder, as: .deferredDeletion) else { return }
            }
            // The cascade deletes the remaining rows.
            try await database.write { _ = try $0.run("DELETE FROM account WHERE vault = ? AND owner = x''", id) }
        } catch {
            // The rest can no longer be opened, and is deleted at the next attempt.
        }
        await truncateWAL()
    }
}
