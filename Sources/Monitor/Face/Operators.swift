import Crypto
import CryptoExtras
import Encoding
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
    let codes = Mutex(CodeTries())
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

    /// Adds an operator, or gives one another password, which ends the old sessions and the second factor.
    ///
    /// - Returns: Whether there was a second factor.
    @discardableResult
    package func set(_ name: String, password: String) async throws -> Bool {
        let salt = Self.random(16)
        let hash = try await derive(password, salt).verifier
        let now = now()
        return try await store.database.write { db in
            let hadFactor = try db.first(
                "SELECT totp IS NOT NULL FROM operator WHERE name = ?", .text(name), row: { $0.int(0) == 1 })
            // A listed token belongs to a configuration, which alone ends it.
            try db.run(
                "DELETE FROM session WHERE operator = ? AND purpose IS NOT ?", .text(name),
                .text(MonitorStore.listedPurpose))
            try db.run(
                """
                INSERT INTO operator (name, salt, hash, added) VALUES (?, ?, ?, ?)
                ON CONFLICT (name) DO UPDATE SET salt = excluded.salt, hash = excluded.hash, totp = NULL
                """, .text(name), .blob(salt), .blob(hash), .integer(now))
            return hadFactor ?? false
        }
    }

    package func all() async throws -> [(name: String, hasSecondFactor: Bool)] {
        try await store.database.read { db in
            try db.all("SELECT name, totp IS NOT NULL FROM operator ORDER BY name") { ($0.text(0), $0.int(1) == 1) }
        }
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

    /// - Throws: A 401 problem, the same for a wrong password and for nobody, another where a code is needed or wrong; 429
    ///   after five failures in five minutes, and after five wrong codes in an hour.
    func signIn(_ name: String, password: String, code: String? = nil) async throws -> Session {
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
            throw Problem(named: "too-many-tries", status: 429, title: "Too many tries", retryAfter: 300)
        }
        guard let (known, key) = try await identify(name, password) else {
            throw Problem(named: "wrong-password", status: 401, title: "Wrong name or password")
        }
        failures.withLock { failures in _ = failures.removeValue(forKey: name) }
        if let factor = known.factor { try await accept(code, by: factor, of: name, key) }
        return try await begin(name, salt: known.salt, lifetime: Self.sessionLifetime)
    }

    /// What is known of an operator, and a key that nothing but the password gives; nil for a wrong one.
    func identify(_ name: String, _ password: String) async throws -> (Known, SymmetricKey)? {
        let known = try await store.database.read { db in
            try db.first("SELECT salt, hash, totp, totp_step FROM operator WHERE name = ?", .text(name)) { row in
                Known(
                    salt: row.blob(0), hash: row.blob(1),
                    factor: row.isNull(2) ? nil : .init(box: row.blob(2), lastStep: row.optionalInteger(3) ?? 0))
            }
        }
        // For nobody the same work is done, so that the time tells nothing.
        let derived = try await derive(password, known?.salt ?? Array(repeating: 0, count: 16))
        guard let known, constantTimeEqual(derived.verifier, known.hash) else { return nil }
        return (known, derived.key)
    }

    struct Known: Sendable {
        var salt: [UInt8]
        var hash: [UInt8]
        var factor: BoxedFactor?
    }

    /// scrypt with a cost of OWASP's password storage cheat sheet, the one that takes 32 MB (N = 2^15, r = 8, p = 3): a
    /// hub is a small machine.
    ///
    /// - Returns: What is kept, to know the password again; and a key for what only its bearer is to open.
    private func derive(
        _ password: String, _ salt: [UInt8]
    ) async throws -> (verifier: [UInt8], key: SymmetricKey) {
        try await derivation.runIfActive {
            let key = try KDF.Scrypt.deriveKey(
                from: Array(password.utf8), salt: salt, outputByteCount: 64, rounds: 1 << 15, blockSize: 8,
                parallelism: 3)
            let bytes = unsafe key.withUnsafeBytes { unsafe Array($0) }
            return (Array(bytes.prefix(32)), SymmetricKey(data: bytes.suffix(32)))
        }
    }

    static func random(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }
}

package enum OperatorRefusal: Error, Equatable, CustomStringConvertible, Sendable {
    case noSuchOperator(String)
    case noSuchToken(String)
    case wrongPassword
    case wrongCode

    package var description: String {
        switch self {
        case .noSuchOperator(let name): "There is no operator \(name). `operator add \(name)` makes one."
        case .wrongPassword: "That is not the operator's password, or there is no such operator."
        case .wrongCode: "That is no code of this seed. Nothing was changed; is this machine's clock right?"
        case .noSuchToken(let id): "There is no token \(id). `token list` shows those that there are."
        }
    }
}
