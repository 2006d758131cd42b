import Synchronization

/// Lets one change at a time into each vault.
///
/// A change reads who may see what, seals keys to them, and writes. Between two such changes one could seal to
/// an agent that the other has just revoked, so they take turns. Reads never wait here. One process owns
/// the file, so a lock in memory is enough.
package final class VaultLocks: Sendable {
    private let waiting = Mutex<[VaultID: [CheckedContinuation<Void, Never>]]>([:])

    package init() {}

    /// Runs `body` while no other change of this vault runs, in the order of arrival.
    package func withLock<R>(_ vault: VaultID, _ body: () async throws -> R) async rethrows -> R {
        await acquire(vault)
        defer { release(vault) }
        return try await body()
    }

    /// The same for a change by somebody whose holder must still be there when its turn comes.
    ///
    /// While it waited, another tab may have changed the password, or the owner revoked the agent. Every deletion of
    /// a holder holds this lock, so one look is enough.
    ///
    /// - Throws: `VaultError.callerGone` when the holder is gone.
    package func withLock<R>(
        for caller: Caller, in store: any VaultStore, _ body: () async throws -> R
    ) async throws -> R {
        try await withLock(caller.vault) {
            guard try await store.holds(caller) else { throw VaultError.callerGone }
            return try await body()
        }
    }

    private func acquire(_ vault: VaultID) async {
        await withCheckedContinuation { continuation in
            let isFree = waiting.withLock { waiting in
                guard waiting[vault] != nil else {
                    waiting[vault] = []
                    return true
                }
                waiting[vault]?.append(continuation)
                return false
            }
            if isFree { continuation.resume() }
        }
    }

    private func release(_ vault: VaultID) {
        let next = waiting.withLock { waiting -> CheckedContinuation<Void, Never>? in
            guard var queue = waiting[vault], !queue.isEmpty else {
                waiting[vault] = nil
                return nil
            }
            let next = queue.removeFirst()
            waiting[vault] = queue
            return next
        }
        next?.resume()
    }
}
