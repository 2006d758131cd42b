package import IPNetworks
import Synchronization
package import Vault

/// Puts failures and denials on record without letting anybody fill the disk with them.
///
/// The first of a kind in a minute is written before it is answered. What follows within the same minute is
/// counted, and the count written when the minute is over.
package final class FailureLog: Sendable {
    private let audit: AuditSealer
    private let commit: @Sendable ([AccountStep], [SealedAuditLine]) async throws -> Void
    private let now: @Sendable () -> Int64
    private let state = Mutex(State())
    private static let mostKeys = 500

    private struct State {
        var minute: Int64 = 0
        var counts: [Key: (count: Int, event: AuditEvent, vault: VaultID?)] = [:]
        /// Counts of minutes that are over, which the disk refused.
        var late: [Due] = []
    }

    private typealias Due = (event: AuditEvent, vault: VaultID?)

    private struct Key: Hashable {
        let account: [UInt8]
        let from: IPNetwork?
        let action: AuditEvent.Action
        let reason: String?
    }

    package init(
        audit: AuditSealer, now: @escaping @Sendable () -> Int64,
        commit: @escaping @Sendable ([AccountStep], [SealedAuditLine]) async throws -> Void
    ) {
        self.audit = audit
        self.now = now
        self.commit = commit
    }

    /// `account`: What the failure is about: an e-mail index or a holder.
    /// `vault`: Nil where nobody's vault is concerned.
    /// `rows`: What it costs the abuse limits, on disk when this returns.
    package func record(
        _ event: AuditEvent, account: [UInt8], network: IPNetwork?, vault: VaultID?, costing rows: [AbuseRow] = []
    ) async throws {
        let minute = now() / 60
        let (key, isFirst, due) = state.withLock { state in
            let due = state.minute == minute ? [] : Self.drain(&state)
            state.minute = minute
            var key = Key(account: account, from: network, action: event.action, reason: event.reason)
            if state.counts[key] == nil, state.counts.count >= Self.mostKeys {
                // Too many different ones in one minute: the rest share a line, each vault its own. There are as many
                // of these at most as there are vaults and actions.
                key = Key(account: vault?.bytes ?? [], from: nil, action: event.action, reason: nil)
            }
            let known = state.counts[key]
            state.counts[key] = ((known?.count ?? 0) + 1, known?.event ?? event, known?.vault ?? vault)
            return (key, known == nil, due)
        }
        do {
            try await write(due + (isFirst ? [(event, vault)] : []), rows)
        } catch {
            if isFirst { state.withLock { Self.forgetFirst(key, &$0) } }
            throw error
        }
    }

    /// Writes what was counted in minutes that are over; at a stop, all of it.
    package func flush(isStopping: Bool = false) async throws {
        let minute = now() / 60
        let due = state.withLock { state in
            state.minute == minute && !isStopping ? [] : Self.drain(&state)
        }
        try await write(due)
    }

    /// Writes lines; counts that the disk refused wait for the next time.
    private func write(_ due: [Due], _ rows: [AbuseRow] = []) async throws {
        do {
            let lines = try due.compactMap { event, vault in
                do {
                    return try audit.seal(event, vault: vault)
                } catch VaultError.noSuchEntry {
                    // The vault was deleted meanwhile, and its lines are shredded anyway.
                    return nil
                }
            }
            if !lines.isEmpty || !rows.isEmpty { try await commit(rows.map(AccountStep.putAbuse), lines) }
        } catch {
            state.withLock { state in
                state.late += due.filter { $0.event.count != nil }.prefix(max(0, Self.mostKeys - state.late.count))
            }
            throw error
        }
    }

    /// What waits, and the counts. The first of each was written already.
    private static func drain(_ state: inout State) -> [Due] {
        defer {
            state.counts.removeAll()
            state.late.removeAll()
        }
        return state.late
            + state.counts.values.filter { $0.count > 1 }.map { entry in
                var event = entry.event
                event.count = entry.count - 1
                return (event, entry.vault)
            }
    }

    /// A first line that could not be written: the next failure of its kind is the first again.
    private static func forgetFirst(_ key: Key, _ state: inout State) {
        guard let entry = state.counts.removeValue(forKey: key), entry.count > 1 else { return }
        var event = entry.event
        event.count = entry.count - 1
        state.late.append((event, entry.vault))
    }
}
