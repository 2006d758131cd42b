import Auth
import Encoding
import IPNetworks
import Synchronization
import TestSupport
import Testing
import Vault
import VaultFormat

/// Failure counts across restarts.
extension AbuseLimitsTests {
    struct Restart: CustomTestStringConvertible {
        var testDescription: String
        /// Seconds between the last guess and the start.
        var pause: Int64
        var tried: Int
    }

    /// Only rows survive a killed process.
    @Test(arguments: [
        Restart(testDescription: "at once", pause: 0, tried: 0),
        Restart(testDescription: "before one expires", pause: 89, tried: 0),
        Restart(testDescription: "when one expires", pause: 90, tried: 1),
        Restart(testDescription: "when half are", pause: 450, tried: 5),
        Restart(testDescription: "when all are", pause: 900, tried: 10),
    ])
    func aRestartResetsNoLimit(_ example: Restart) throws {
        for _ in 0..<10 { rows.put(try limits.failed(attempt(0, from: 0))) }
        moments.advance(by: example.pause)
        let restarted = restarted(rows)
        let tried = (0..<20).count { _ in
            guard (try? restarted.admit(attempt(0, from: 0))) != nil else { return false }
            return fail { try restarted.failed(attempt(0, from: 0)) }
        }
        #expect(tried == example.tried)
    }

    /// Planted rows with extreme values cause no overflow.
    @Test func plantedRowsBlockNoLoginForLong() throws {
        let keys = try limits.failed(attempt(0, from: 0)).map(\.key)
        let times: [Int64] = [.min, -1, 0, moments.now, moments.now + 90, .max]
        for (at, expires) in times.flatMap({ at in times.map { (at, $0) } }) {
            for level in [Int64.min, 0, 1, .max] {
                let rows = Rows()
                rows.put(keys.map { AbuseRow(key: $0, level: level, at: at, expires: expires) })
                let restarted = restarted(rows)
                do {
                    try restarted.admit(attempt(0, from: 0))
                } catch AuthError.tooManyAttempts(let wait) {
                    // The largest burst at the slowest rate of expiry.
                    #expect(wait <= 300 * 720)
                }
                #expect(try restarted.failed(attempt(0, from: 0)).allSatisfy { $0.level > 0 })
            }
        }
    }

    @Test func aRowRevealsNothingWithoutTheKey() throws {
        let root = RootKeys.generate()
        let other = AbuseLimits(
            keys: try NodeKeys(root: root, stored: NodeKeys.makeStored(root: root)), now: moments.source
        ) { _ in nil }
        let mine = Set(try limits.failed(attempt(0, from: 0)).map(\.key))
        #expect(mine.count == 3)
        #expect(mine.isDisjoint(with: try other.failed(attempt(0, from: 0)).map(\.key)))
    }
}
