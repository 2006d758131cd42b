import Synchronization
package import VaultFormat

/// A lock per vault, held by one change at a time.
///
/// A change reads who has access, seals keys to them, and writes. Two concurrent changes could seal to an agent that the other
/// has just revoked, so they run one after the other. Reads take no lock. One process owns the file, so a lock in memory is
/// enough.
package final class VaultLocks: Sendable {
    /// The vaults in which a change runs, with the changes that wait.
    private let waiting = Mutex<[VaultID: Queue]>([:])
    /// Waiting changes of one vault; the next is refused. Urgent ones are bounded by the server's concurrent requests.
    private let mostWaiting: Int

    private struct Queue {
        var urgent: [CheckedContinuation<Bool, Never>] = []
        var others: [CheckedContinuation<Bool, Never>] = []
        /// How many urgent changes went before the others since one of those ran.
        var overtaken = 0

        /// After eight urgent changes one of the others runs, so that a stream of urgent ones cannot starve it.
        mutating func next() -> CheckedContinuation<Bool, Never>? {
            if !urgent.isEmpty, others.isEmpty || overtaken < 8 {
                overtaken += others.isEmpty ? 0 : 1
                return urgent.removeFirst()
            }
            overtaken = 0
            return others.isEmpty ? nil : others.removeFirst()
        }
    }

    package init(mostWaiting: Int = 40) {
        self.mostWaiting = mostWaiting
    }

    /// Runs `body` while no other change of this vault runs, in the order of arrival.
    ///
    /// `isUrgent`: Runs before changes that are not: signing in, and ending access.
    /// - Throws: `VaultError.busy` when too many wait already.
    package func withLock<R>(
        _ vault: VaultID, isUrgent: Bool = false, _ body: () async throws -> R
    ) async throws -> R {
        guard await acquire(vault, isUrgent) else { throw VaultError.busy }
        defer { release(vault) }
        return try await body()
    }

    /// The same for a principal, whose key holder must still exist when the lock is acquired.
    ///
    /// While it waited, another client may have changed the password, or the owner revoked the agent. Every deletion of a key
    /// holder holds this lock, so one check is enough.
    ///
    /// - Throws: `VaultError.principalGone` when the key holder is gone.
    package func withLock<R>(
        for principal: Principal, in store: any VaultStore, isUrgent: Bool = false, _ body: () async throws -> R
    ) async throws -> R {
        try await withLock(principal.vault, isUrgent: isUrgent) {
            guard try await store.holds(principal) else { throw VaultError.principalGone }
            return try await body()
        }
    }

    /// Whether an urgent change waits for a vault.
    package func hasUrgent(_ vault: VaultID) -> Bool { waiting.withLock { $0[vault]?.urgent.isEmpty == false } }

    private func acquire(_ vault: VaultID, _ isUrgent: Bool) async -> Bool {
        // An uncontended lock needs no wait, so the slot is kept.
        let isFree = waiting.withLock { waiting in
            guard waiting[vault] == nil else { return false }
            waiting[vault] = Queue()
            return true
        }
        if isFree { return true }
        return await WorkQueue.withoutSlot { await enqueue(vault, isUrgent) }
    }

    private func enqueue(_ vault: VaultID, _ isUrgent: Bool) async -> Bool {
        await withCheckedContinuation { continuation in
            let answer = waiting.withLock { waiting -> Bool? in
                guard var queue = waiting[vault] else {
                    waiting[vault] = Queue()
                    return true
                }
                if isUrgent {
                    queue.urgent.append(continuation)
                } else if queue.others.count < mostWaiting {
                    queue.others.append(continuation)
                } else {
                    return false
                }
                waiting[vault] = queue
                return nil
            }
            if let answer { continuation.resume(returning: answer) }
        }
    }

    private func release(_ vault: VaultID) {
        let next = waiting.withLock { waiting in
            let next = waiting[vault]?.next()
            if next == nil { waiting[vault] = nil }
            return next
        }
        next?.resume(returning: true)
    }
}
