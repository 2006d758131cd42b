import Storage
import Vault
import VaultFormat

/// Deletes what quotas keep for a time alone: old versions, old trash, deposits that nobody accepted. Each vault's log says
/// so.
package struct Expiry: Sendable {
    package let node: Node
    /// Rows in one commit, so that nobody waits long for it.
    private static let batch = 4
    /// Of old versions, which are found by looking through all of a vault.
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
                // Without the vault's lock, which whoever revokes something may be waiting for: each commit says what it
                // expects.
                try await deleteEntries(of: vault, in: .trashed, after: .trashDays, .entryPurge)
                try await deleteEntries(of: vault, in: .deposit, after: .depositDays, .depositExpire)
                try await prune(vault)
            } catch VaultError.noSuchEntry, VaultError.changedSince {
                // The vault was deleted, or an entry changed, meanwhile. The next time does the rest.
            } catch {
                // What is wrong with one vault keeps nothing of the others.
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
            let steps: [Mutation] = old.flatMap { row in
                [.expectEntry(row.id, vault: vault, version: row.version, state: state), .deleteEntry(row.id)]
            }
            let lines = try old.map { row in
                try node.audit.seal(
                    AuditEvent(action, by: .init(.node), entry: row.id, version: row.version), vault: vault)
            }
            try await commit(steps, lines, &batch)
        }
    }

    /// Where the disk has no room for so much at once nothing is done, and the next batch is of one.
    private func commit(_ steps: [Mutation], _ lines: [SealedAuditLine], _ batch: inout Int) async throws {
        do {
            try await node.store.commit(steps, lines)
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
            let places = try await node.store.history(
                of: vault, beyond: quotas[.versions], before: time(before: .historyDays), limit: batch)
            if places.isEmpty { return }
            var event = AuditEvent(.historyPrune, by: .init(.node))
            event.count = places.count
            try await commit([.deleteValues(places)], [try node.audit.seal(event, vault: vault)], &batch)
        }
    }

    private func time(before days: Quota) -> Int64 {
        node.now() - Int64(node.settings.quotas[days]) * 86_400
    }
}
