import Synchronization
import Wire

/// Memory for the bodies of all requests that are being read or answered.
///
/// Nobody gets more than a third of it, so that one tenant cannot keep the others from writing.
final class BodyBudget: Sendable {
    /// Who sends: a vault, or a network where nobody is signed in.
    typealias Sender = [UInt8]

    private let total: Int
    private let used = Mutex(Used())

    private struct Used {
        var all = 0
        var bySender: [Sender: Int] = [:]
    }

    /// `total`: Bytes. A third of it holds the largest body of any route.
    init(total: Int = 24 << 20) {
        self.total = total
    }

    var reserved: Int { used.withLock { $0.all } }

    /// Runs `work` with room for a body of so many bytes.
    ///
    /// - Throws: A 503 problem where there is none now.
    func reserve<R>(_ bytes: Int, for sender: Sender, _ work: () async throws -> R) async throws -> R {
        let isReserved = used.withLock { used in
            let own = used.bySender[sender, default: 0]
            guard used.all + bytes <= total, own + bytes <= total / 3 else { return false }
            used.all += bytes
            used.bySender[sender] = own + bytes
            return true
        }
        guard isReserved else { throw Problem.busy }
        defer {
            used.withLock { used in
                used.all -= bytes
                let left = used.bySender[sender, default: bytes] - bytes
                used.bySender[sender] = left > 0 ? left : nil
            }
        }
        return try await work()
    }
}
