import Storage
import Vault
import VaultFormat

/// Deletes what has exceeded its retention quota: old versions, old trash and unaccepted deposits. Writes an audit line to each
/// vault's log.
package struct Expiry: Sendable {
    package let node: Node
    /// Rows per commit, so that other commits do not wait long.
    private static let batch = 4
    /// Old versions per commit: finding them scans the whole vault.
    private static let versions = 200

    package init(node: Node) {
        self.node = node
    }

    package func run() async throws {
        guard node.health.mode == .normal else { return }
        var failure: (any Error)?
        for vault in try await node.store.vaults() {
            try Task.checkCancellation()
            guard node.health.mode == .normal else { break }
            do {
                // Without the vault's lock, which a revocation may be waiting for: each commit states what it expects.
                try await deleteEntries(of: vault, in: .trashed, after: .trashDays, .entryPurge)
                try await deleteEntries(of: vault, in: .deposit, after: .depositDays, .depositExpire)
                try await prune(vault)
            } catch VaultError.noSuchEntry, VaultError.changedSince {
                // The vault was deleted or an entry was changed meanwhile. The next run handles the rest.
            } catch {
                // A failure in one vault must not affect the others.
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
    }

    private func deleteEntries(
        of vault: VaultID, in state: EntryState, after days: Quota, _ action: AuditEvent.Action
    ) async throws {
        var batch = Self.batch
        while true {
            let old = try await node.store.entries(of: vault, in: state, since: time(before: days), limit: batch)
            if old.isEmpty { return }
            let mutations: [Mutation] =
                old.flatMap { row in
                    [.expectEntry(row.id, vault: vault, version: row.version, state: state), .deleteEntry(row.id)]
                } + [.finishL2Rekey(vault)]
            let lines = try old.map { row in
                try node.audit.seal(
                    AuditEvent(action, by: .init(.node), entry: row.id, version: row.version), vault: vault)
            }
            try await commit(mutations, lines, &batch)
        }
    }

    /// Commits a batch. If the disk has no room for it, nothing is done and the next batch has one row.
    private func commit(_ mutations: [Mutation], _ lines: [SealedAuditLine], _ batch: inout Int) async throws {
        do {
            try await node.store.commit(mutations, lines)
        } catch VaultError.readOnly where batch > 1 && node.health.mode == .normal {
            batch = 1
            return
        }
        await node.store.truncateWAL()
    }

    private func prune(_ vault: VaultID) async throws {
        let quotas = node.settings.quotas
        var batch = Self.versions
        while true {
            let expired = try await node.store.history(
                of: vault, beyond: quotas[.versions], before: time(before: .historyDays), limit: batch)
            if expired.isEmpty { return }
            var event = AuditEvent(.historyPrune, by: .init(.node))
            event.count = expired.count
            try await commit([.deleteValues(expired)], [try node.audit.seal(event, vault: vault)], &batch)
        }
    }

    private func time(before days: Quota) -> Int64 {
        node.now() - Int64(node.settings.quotas[days]) * 86_400
    }
}
