import Synchronization
package import VaultFormat

/// Lets one change at a time into each vault.
///
/// A change reads who may see what, seals keys to them, and writes. Between two such changes one could seal to
/// an agent that the other has just revoked, so they take turns. Reads never wait here. One process owns
/// the file, so a lock in memory is enough.
package final class VaultLocks: Sendable {
    /// The vaults in which a change runs, and who waits there.
    private let waiting = Mutex<[VaultID: Queue]>([:])
    /// Of one vault; the next is refused. What is urgent is bounded by the requests that a server answers at a time.
    private let mostWaiting: Int

    private struct Queue {
        var urgent: [CheckedContinuation<Bool, Never>] = []
        var others: [CheckedContinuation<Bool, Never>] = []
        /// How often what is urgent went before others that waited.
        var overtaken = 0

        /// Something else goes after eight urgent ones: a stream of them must not hold it up for ever.
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
    /// `isUrgent`: Goes before all that is not: signing in, and what ends somebody's access.
    /// - Throws: `VaultError.busy` when too many wait already.
    package func withLock<R>(
        _ vault: VaultID, isUrgent: Bool = false, _ body: () async throws -> R
    ) async throws -> R {
        guard await acquire(vault, isUrgent) else { throw VaultError.busy }
        defer { release(vault) }
        return try await body()
    }

    /// The same for a change by somebody whose holder must still be there when its turn comes.
    ///
    /// While it waited, another tab may have changed the password, or the owner revoked the agent. Every deletion of
    /// a holder holds this lock, so one look is enough.
    ///
    /// - Throws: `VaultError.principalGone` when the holder is gone.
    package func withLock<R>(
        for principal: Principal, in store: any VaultStore, isUrgent: Bool = false, _ body: () async throws -> R
    ) async throws -> R {
        try await withLock(principal.vault, isUrgent: isUrgent) {
            guard try await store.holds(principal) else { throw VaultError.principalGone }
            return try await body()
        }
    }

    /// Whether something urgent waits for a vault.
    package func hasUrgent(_ vault: VaultID) -> Bool { waiting.withLock { $0[vault]?.urgent.isEmpty == false } }

    private func acquire(_ vault: VaultID, _ isUrgent: Bool) async -> Bool {
        // Without others in it there is no waiting, and no turn to give up.
        let isFree = waiting.withLock { waiting in
            guard waiting[vault] == nil else { return false }
            waiting[vault] = Queue()
            return true
        }
        if isFree { return true }
        return await WorkQueue.waiting { await enqueue(vault, isUrgent) }
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
