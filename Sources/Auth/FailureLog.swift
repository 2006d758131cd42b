package import IPNetworks
import Synchronization
package import Vault
package import VaultFormat

/// Puts failures and denials on record without letting anybody fill the disk with them.
///
/// The first of a kind in a minute is written before it is answered. What follows within the same minute is
/// counted, and the count written when the minute is over. Kinds are as many as networks and accounts, of which a
/// stranger has as many as he likes: each vault, and all that is nobody's, may have so many of them at once and so many
/// a minute; the rest share a line.
package final class FailureLog: Sendable {
    private let audit: AuditSealer
    private let commit: @Sendable ([Mutation], [SealedAuditLine]) async throws -> Void
    private let now: @Sendable () -> Int64
    private let state = Mutex(State())
    /// Kinds in a minute, of all vaults together.
    private static let mostKeys = 500
    /// Kinds of one vault, or of none: at once, and a minute. 7,200 lines a day.
    private static let keysPerVault = (burst: 50, perMinute: 5)

    private struct State {
        var minute: Int64 = 0
        var counts: [Key: (count: Int, event: AuditEvent)] = [:]
        /// Kinds that each vault has used up of its burst.
        var used: [VaultID?: Int] = [:]
        /// Counts of minutes that are over, which the disk refused.
        var late: [Due] = []
    }

    private typealias Due = (event: AuditEvent, vault: VaultID?)

    private struct Key: Hashable {
        let vault: VaultID?
        var account: [UInt8] = []
        var from: IPNetwork?
        let action: AuditEvent.Action
        let outcome: AuditEvent.Outcome
        var reason: String?
    }

    package init(
        audit: AuditSealer, now: @escaping @Sendable () -> Int64,
        commit: @escaping @Sendable ([Mutation], [SealedAuditLine]) async throws -> Void
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
            Self.refill(&state, until: minute)
            var key = Key(
                vault: vault, account: account, from: network, action: event.action, outcome: event.outcome,
                reason: event.reason)
            var counted = event
            if state.counts[key] == nil {
                if state.counts.count < Self.mostKeys, state.used[vault, default: 0] < Self.keysPerVault.burst {
                    state.used[vault, default: 0] += 1
                } else {
                    // There are as many of these at most as there are vaults and actions.
                    key = Key(vault: vault, action: event.action, outcome: event.outcome)
                    counted = event.inCommon
                }
            }
            let known = state.counts[key]
            state.counts[key] = ((known?.count ?? 0) + 1, known?.event ?? counted)
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
            if !lines.isEmpty || !rows.isEmpty { try await commit(rows.map(Mutation.putAbuse), lines) }
        } catch {
            state.withLock { state in
                state.late += due.filter { $0.event.count != nil }.prefix(max(0, Self.mostKeys - state.late.count))
            }
            throw error
        }
    }

    private static func refill(_ state: inout State, until minute: Int64) {
        let passed = Int(clamping: max(0, minute - state.minute))
        state.minute = minute
        guard passed > 0 else { return }
        let forgiven = min(passed, keysPerVault.burst) * keysPerVault.perMinute
        state.used = state.used.compactMapValues { $0 > forgiven ? $0 - forgiven : nil }
    }

    /// What waits, and the counts. The first of each was written already.
    private static func drain(_ state: inout State) -> [Due] {
        defer {
            state.counts.removeAll()
            state.late.removeAll()
        }
        return state.late
            + state.counts.filter { $0.value.count > 1 }.map { key, entry in
                var event = entry.event
                event.count = entry.count - 1
                return (event, key.vault)
            }
    }

    /// A first line that could not be written: the next failure of its kind is the first again.
    private static func forgetFirst(_ key: Key, _ state: inout State) {
        guard let entry = state.counts.removeValue(forKey: key), entry.count > 1, state.late.count < mostKeys else {
            return
        }
        var event = entry.event
        event.count = entry.count - 1
        state.late.append((event, key.vault))
    }
}

extension AuditEvent {
    /// What this has in common with others of its action: a line that counts them must not name one for all.
    fileprivate var inCommon: AuditEvent {
        AuditEvent(action, by: .init(actor.kind), outcome: outcome)
    }
}
