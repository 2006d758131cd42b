import Crypto
import CryptoExtras
import Encoding
import FoundationEssentials
import NIOPosix
import SQLite
import Secrets
import Synchronization
import Wire

/// Operators: accounts, sign-in and sessions.
package final class Operators: Sendable {
    package let store: MonitorStore
    let now: @Sendable () -> Int64
    /// Sessions that could not be stored.
    let inMemorySessions = Mutex(InMemorySessions())
    /// Failed attempts by name. The wall clock suffices, since a jump forgives only some guesses.
    private let failures = Mutex<[String: [Int64]]>([:])
    let codes = Mutex(CodeAttempts())
    /// One key derivation at a time: guessing occupies one core at most, and never delays pushes.
    private let derivation = NIOThreadPool(numberOfThreads: 1)

    private static let sessionLifetime: Int64 = 12 * 3_600_000
    private static let maxAttemptsInFiveMinutes = 5
    private static let maxNames = 1_000

    /// - Parameters:
    ///   - store: Contains the operators.
    ///   - now: Unix milliseconds.
    package init(store: MonitorStore, now: @escaping @Sendable () -> Int64) {
        self.store = store
        self.now = now
        derivation.start()
    }

    deinit { derivation.shutdownGracefully { _ in } }

    /// Adds an operator or changes a password, which ends the existing sessions and the second factor.
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
            // A listed token belongs to a configuration, which alone can end it.
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
            try db.all("SELECT name, totp IS NOT NULL AS has_totp FROM operator ORDER BY name") {
                (try $0.text("name"), try $0.int("has_totp") == 1)
            }
        }
    }

    /// - Throws: `OperatorError.noSuchOperator`.
    package func remove(_ name: String) async throws {
        try await store.database.write { db in
            try db.run("DELETE FROM session WHERE operator = ?", .text(name))
            guard try db.run("DELETE FROM operator WHERE name = ?", .text(name)) == 1 else {
                throw OperatorError.noSuchOperator(name)
            }
        }
    }

    /// Signs in.
    ///
    /// - Throws: A 401 problem, the same for a wrong password and an unknown name, another where a code is required or
    ///   wrong; 429 after five failures in five minutes, and after five wrong codes in an hour.
    package func signIn(_ name: String, password: String, code: String? = nil) async throws -> Session {
        let now = now()
        // Counted before the password is checked: many concurrent attempts would pass otherwise.
        let isAllowed = failures.withLock { failures in
            failures = failures.mapValues { $0.filter { $0 > now - 300_000 } }.filter { !$0.value.isEmpty }
            // Names come from unauthenticated clients: this bounds how many are stored, and so how many attempts wait.
            guard (failures[name]?.count ?? 0) < Self.maxAttemptsInFiveMinutes, failures.count < Self.maxNames else {
                return false
            }
            failures[name, default: []].append(now)
            return true
        }
        guard isAllowed else {
            throw Problem(named: "too-many-tries", status: 429, title: "Too many attempts", retryAfter: 300)
        }
        guard let (known, key) = try await verifyPassword(name, password) else {
            throw Problem(named: "wrong-password", status: 401, title: "Wrong name or password")
        }
        failures.withLock { failures in _ = failures.removeValue(forKey: name) }
        if let factor = known.factor { try await accept(code, by: factor, of: name, key) }
        return try await begin(name, salt: known.salt, lifetime: Self.sessionLifetime)
    }

    /// Verifies a password. Returns the stored credentials and a key derived from the password; nil for a wrong one.
    func verifyPassword(_ name: String, _ password: String) async throws -> (StoredCredentials, SymmetricKey)? {
        let known = try await store.database.read { db in
            try db.first("SELECT salt, hash, totp, totp_step FROM operator WHERE name = ?", .text(name)) { row in
                StoredCredentials(
                    salt: try row.blob("salt"), hash: try row.blob("hash"),
                    factor: try row.optionalBlob("totp").map {
                        .init(ciphertext: $0, lastStep: try row.optionalInteger("totp_step") ?? 0)
                    })
            }
        }
        // An unknown name costs the same work, so that timing reveals nothing.
        let derived = try await derive(password, known?.salt ?? Array(repeating: 0, count: 16))
        guard let known, constantTimeEqual(derived.verifier, known.hash) else { return nil }
        return (known, derived.key)
    }

    struct StoredCredentials: Sendable {
        var salt: [UInt8]
        var hash: [UInt8]
        var factor: SealedFactor?
    }

    /// scrypt with parameters of OWASP's password storage cheat sheet, those that use 32 MB (N = 2^15, r = 8, p = 3): a
    /// hub is a small machine.
    ///
    /// - Returns: The stored verifier, and a key for data that only the password unlocks.
    private func derive(
        _ password: String, _ salt: [UInt8]
    ) async throws -> (verifier: [UInt8], key: SymmetricKey) {
        try await derivation.runIfActive {
            let key = try KDF.Scrypt.deriveKey(
                from: Array(password.utf8), salt: salt, outputByteCount: 64, rounds: 1 << 15, blockSize: 8,
                parallelism: 3)
            return (key.publicBytes(at: 0..<32), key.key(at: 32..<64))
        }
    }

    static func random(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }
}
