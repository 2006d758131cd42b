package import IPNetworks
import Synchronization
package import Vault
package import VaultFormat

/// Writes failures and denials to the audit log, aggregated so that they cannot fill the disk.
///
/// The first failure of a kind in a minute is written before it is answered. Further ones within the minute are counted, and the
/// count is written when the minute is over. An unauthenticated client can produce any number of kinds, by account and
/// network. Therefore each vault, and all failures without a vault together, have a burst and a rate of kinds; beyond it
/// failures share a line.
package final class FailureLog: Sendable {
    private let audit: AuditSealer
    private let commit: @Sendable ([Mutation], [SealedAuditLine]) async throws -> Void
    private let now: @Sendable () -> Int64
    private let state = Mutex(State())
    /// Maximum kinds in a minute, over all vaults.
    private static let mostKeys = 500
    /// Burst and rate of the kinds of one vault, or of failures without a vault. At most 7,200 lines a day.
    private static let keysPerVault = (burst: 50, perMinute: 5)

    private struct State {
        var minute: Int64 = 0
        var counts: [Key: (count: Int, event: AuditEvent)] = [:]
        /// Used part of each vault's burst.
        var used: [VaultID?: Int] = [:]
        /// Counts of past minutes that could not be written.
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

    /// Records a failure.
    ///
    /// `account`: The e-mail index or key holder that the failure concerns.
    /// `vault`: Nil for failures without a vault.
    /// `rows`: Rows of `AbuseLimits`, durable when this returns.
    package func record(
        _ event: AuditEvent, account: [UInt8], network: IPNetwork?, vault: VaultID?, abuse rows: [AbuseRow] = []
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
                    // Bounded by the number of vaults times actions.
                    key = Key(vault: vault, action: event.action, outcome: event.outcome)
                    counted = event.aggregated
                }
            }
            let known = state.counts[key]
            state.counts[key] = ((known?.count ?? 0) + 1, known?.event ?? counted)
            return (key, known == nil, due)
        }
        do {
            try await write(due + (isFirst ? [(event, vault)] : []), rows)
        } catch {
            if isFirst { state.withLock { Self.undoFirst(key, &$0) } }
            throw error
        }
    }

    /// Writes the counts of past minutes; when stopping, all counts.
    package func flush(isStopping: Bool = false) async throws {
        let minute = now() / 60
        let due = state.withLock { state in
            state.minute == minute && !isStopping ? [] : Self.drain(&state)
        }
        try await write(due)
    }

    /// Writes lines. Counts that could not be written are retried with the next write.
    private func write(_ due: [Due], _ rows: [AbuseRow] = []) async throws {
        do {
            let lines = try due.compactMap { event, vault in
                do {
                    return try audit.seal(event, vault: vault)
                } catch VaultError.noSuchEntry {
                    // The vault was deleted meanwhile, and its lines are unreadable anyway.
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
        let refilled = min(passed, keysPerVault.burst) * keysPerVault.perMinute
        state.used = state.used.compactMapValues { $0 > refilled ? $0 - refilled : nil }
    }

    /// Removes and returns the counts to write. The first failure of each kind was written already.
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

    /// Undoes a first line that could not be written: the next failure of its kind is written as the first.
    private static func undoFirst(_ key: Key, _ state: inout State) {
        guard let entry = state.counts.removeValue(forKey: key), entry.count > 1, state.late.count < mostKeys else {
            return
        }
        var event = entry.event
        event.count = entry.count - 1
        state.late.append((event, key.vault))
    }
}

extension AuditEvent {
    /// The event without account and address, for a line that counts failures of several kinds.
    fileprivate var aggregated: AuditEvent {
        AuditEvent(action, by: .init(actor.kind), outcome: outcome)
    }
}
