import Crypto
import CryptoExtras
import FoundationEssentials
import NIOPosix
import SQLite
import Synchronization
import Wire

/// Who may sign in, and who is.
package final class Operators: Sendable {
    let store: MonitorStore
    let now: @Sendable () -> Int64
    /// What of the sessions is not on the disk.
    let unwritten = Mutex(UnwrittenSessions())
    /// Failed tries by name, steady or not: the wall clock does, since a jump forgives at most some guesses.
    private let failures = Mutex<[String: [Int64]]>([:])
    /// One derivation at a time: guessing keeps one core busy, never all, and never the pushes.
    private let derivation = NIOThreadPool(numberOfThreads: 1)

    private static let sessionLifetime: Int64 = 12 * 3_600_000
    private static let triesInFiveMinutes = 5
    private static let mostNames = 1_000

    /// - Parameters:
    ///   - store: Has the operators.
    ///   - now: Unix milliseconds.
    package init(store: MonitorStore, now: @escaping @Sendable () -> Int64) {
        self.store = store
        self.now = now
        derivation.start()
    }

    deinit { derivation.shutdownGracefully { _ in } }

    /// Adds an operator, or gives one another password, which ends the old sessions.
    package func set(_ name: String, password: String) async throws {
        let salt = Self.random(16)
        let hash = try await derive(password, salt)
        let now = now()
        try await store.database.write { db in
            try db.run("DELETE FROM session WHERE operator = ?", .text(name))
            try db.run(
                """
                INSERT INTO operator (name, salt, hash, added) VALUES (?, ?, ?, ?)
                ON CONFLICT (name) DO UPDATE SET salt = excluded.salt, hash = excluded.hash
                """, .text(name), .blob(salt), .blob(hash), .integer(now))
        }
    }

    package func names() async throws -> [String] {
        try await store.database.read { db in try db.all("SELECT name FROM operator ORDER BY name") { $0.text(0) } }
    }

    /// - Throws: `OperatorRefusal.noSuchOperator`.
    package func remove(_ name: String) async throws {
        try await store.database.write { db in
            try db.run("DELETE FROM session WHERE operator = ?", .text(name))
            guard try db.run("DELETE FROM operator WHERE name = ?", .text(name)) == 1 else {
                throw OperatorRefusal.noSuchOperator(name)
            }
        }
    }

    /// - Throws: A 401 problem, the same for a wrong password and for nobody; 429 after five failures in five minutes.
    func signIn(_ name: String, password: String) async throws -> Session {
        let now = now()
        // Counted before it is known to be wrong: many at once would all be let in otherwise.
        let mayTry = failures.withLock { failures in
            failures = failures.mapValues { $0.filter { $0 > now - 300_000 } }.filter { !$0.value.isEmpty }
            // Names are what strangers type; a bound on how many are remembered, and so on how many wait.
            guard (failures[name]?.count ?? 0) < Self.triesInFiveMinutes, failures.count < Self.mostNames else {
                return false
            }
            failures[name, default: []].append(now)
            return true
        }
        guard mayTry else {
            throw Problem("too-many-tries", status: 429, title: "Too many tries", retryAfter: 300)
        }
        let known = try await store.database.read { db in
            try db.first("SELECT salt, hash FROM operator WHERE name = ?", .text(name)) { ($0.blob(0), $0.blob(1)) }
        }
        // For nobody the same work is done, so that the time tells nothing.
        let derived = try await derive(password, known?.0 ?? Array(repeating: 0, count: 16))
        guard let known, Self.areEqual(derived, known.1) else {
            throw Problem("wrong-password", status: 401, title: "Wrong name or password")
        }
        failures.withLock { failures in _ = failures.removeValue(forKey: name) }
        return try await begin(name, salt: known.0, lifetime: Self.sessionLifetime)
    }

    /// scrypt with a cost of OWASP's password storage cheat sheet, the one that takes 32 MB (N = 2^15, r = 8, p = 3): a
    /// hub is a small machine.
    private func derive(_ password: String, _ salt: [UInt8]) async throws -> [UInt8] {
        try await derivation.runIfActive {
            let key = try KDF.Scrypt.deriveKey(
                from: Array(password.utf8), salt: salt, outputByteCount: 32, rounds: 1 << 15, blockSize: 8,
                parallelism: 3)
            return unsafe key.withUnsafeBytes { unsafe Array($0) }
        }
    }

    static func random(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }

    /// In the same time wherever they differ.
    static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}

package enum OperatorRefusal: Error, Equatable, CustomStringConvertible, Sendable {
    case noSuchOperator(String)
    case noSuchToken(String)

    package var description: String {
        switch self {
        case .noSuchOperator(let name): "There is no operator \(name). `operator add \(name)` makes one."
        case .noSuchToken(let id): "There is no token \(id). `token list` shows those that there are."
        }
    }
}
