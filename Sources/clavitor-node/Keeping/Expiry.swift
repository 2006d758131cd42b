import Storage
import Vault

/// Deletes what quotas keep for a time alone: old versions, old trash, deposits that nobody accepted. Each vault's log says
/// so.
struct Expiry: Sendable {
    let node: Node
    /// Rows in one commit, so that nobody waits long for it.
    private static let batch = 200

    init(node: Node) {
        self.node = node
    }

    func run() async throws {
        guard node.health.mode == .normal else { return }
        for vault in try await node.store.vaults() {
            try Task.checkCancellation()
            do {
                try await node.locks.withLock(vault) {
                    try await deleteEntries(of: vault, in: .trashed, after: .trashDays, .entryPurge)
                    try await deleteEntries(of: vault, in: .deposit, after: .depositDays, .depositExpire)
                    try await prune(vault)
                }
            } catch VaultError.noSuchEntry {
                // The vault was deleted meanwhile.
            }
        }
    }

    private func deleteEntries(
        of vault: VaultID, in state: EntryState, after days: Quota, _ action: AuditEvent.Action
    ) async throws {
        while true {
            let old = try await node.store.entries(
                of: vault, in: state, since: time(before: days), limit: Self.batch)
            if old.isEmpty { return }
            let steps: [Step] = old.flatMap { row in
                [.expectEntry(row.id, vault: vault, version: row.version, state: state), .deleteEntry(row.id)]
            }
            let lines = try old.map { row in
                try node.audit.seal(
                    AuditEvent(action, by: .init(.node), entry: row.id, version: row.version), vault: vault)
            }
            try await node.store.commit(steps, lines)
            await node.store.forgetDeleted()
        }
    }

    private func prune(_ vault: VaultID) async throws {
        let quotas = node.settings.quotas
        while true {
            let places = try await node.store.history(
                of: vault, beyond: quotas[.versions], before: time(before: .historyDays), limit: Self.batch)
            if places.isEmpty { return }
            var event = AuditEvent(.historyPrune, by: .init(.node))
            event.count = places.count
            try await node.store.commit([.deleteValues(places)], [try node.audit.seal(event, vault: vault)])
            await node.store.forgetDeleted()
        }
    }

    private func time(before days: Quota) -> Int64 {
        node.now() - Int64(node.settings.quotas[days]) * 86_400
    }
}
