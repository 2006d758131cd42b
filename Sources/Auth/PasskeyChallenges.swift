import Encoding
import Synchronization
package import VaultFormat

/// Challenges for assertions of passkeys: a time and its authentication code, so that a challenge that nobody answers leaves nothing.
///
/// Each is newer than the one before, so that a passkey answers each once: its row has the last.
package final class PasskeyChallenges: Sendable {
    private let keys: NodeKeys
    private let now: @Sendable () -> Int64
    /// Microseconds of the last one.
    private let last = Mutex<Int64>(0)
    private static let perSecond: Int64 = 1_000_000
    /// In microseconds: five minutes.
    private static let lifetime = 300 * perSecond
    private static let timeCount = 8

    package init(keys: NodeKeys, now: @escaping @Sendable () -> Int64) {
        self.keys = keys
        self.now = now
    }

    package func make() -> [UInt8] {
        let time = last.withLock { last in
            // No node answers a million requests in a second.
            last = max(now() * Self.perSecond, last + 1)
            return last
        }
        return time.bigEndianBytes + keys.challengeCode(time.bigEndianBytes)
    }

    /// Returns the time of a challenge, in microseconds.
    ///
    /// - Throws: `PasskeyAssertion.Refusal.challenge` for a forged, old or future one.
    package func time(of challenge: [UInt8]) throws(PasskeyAssertion.Refusal) -> Int64 {
        let bytes = Array(challenge.prefix(Self.timeCount))
        guard constantTimeEqual(Array(challenge.dropFirst(Self.timeCount)), keys.challengeCode(bytes)) else {
            throw .challenge
        }
        let time = bytes.reduce(Int64(0)) { $0 << 8 | Int64($1) }
        let present = now() * Self.perSecond
        // The clock may have been set back since.
        guard time < present + Self.perSecond, time >= present - Self.lifetime else { throw .challenge }
        return time
    }
}
