package import Storage
import Synchronization
package import Vault

/// Hashes of the audit chain at lines that the monitor asks for: from memory, or with every link up to the head recomputed. Never from the
/// file alone, whose column is what somebody who cut lines would write.
package final class AuditProofs: Sendable {
    private let store: Store
    /// Reported heads, oldest first.
    private let reported = Mutex<[AuditChain]>([])
    private static let most = 64

    package init(store: Store) {
        self.store = store
    }

    package func report(_ head: AuditChain) {
        reported.withLock { reported in
            guard reported.last != head else { return }
            reported = reported.suffix(Self.most - 1) + [head]
        }
    }

    /// Nil for a line that the chain does not have, or when a link is broken.
    package func hash(at sequence: Int64) async -> [UInt8]? {
        if let known = reported.withLock({ $0.last { $0.sequence == sequence } }) { return known.hash }
        return try? await store.recomputedHash(at: sequence)
    }
}
