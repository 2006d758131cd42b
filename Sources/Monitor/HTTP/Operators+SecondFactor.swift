import Crypto
import Encoding
import OneTimePasswords
import SQLite
import Synchronization
import Wire

/// The second factor: TOTP codes (RFC 6238). The seed is stored encrypted with a key derived from the password, so that
/// the file alone reveals neither.
extension Operators {
    /// A new seed, which takes effect once a code of it was verified.
    package struct NewFactor: Sendable {
        let name: String
        let seed: [UInt8]
        fileprivate let key: SymmetricKey

        /// URI for authenticator apps (https://github.com/google/google-authenticator/wiki/Key-Uri-Format).
        package var uri: String {
            "otpauth://totp/Clavitor%20monitor:\(PercentEncoding.encode(name))?secret=\(Base32.encode(seed))&issuer=Clavitor%20monitor"
        }
    }

    /// The seed as it is stored.
    struct SealedFactor: Sendable {
        var ciphertext: [UInt8]
        /// Step of the last accepted code.
        var lastStep: Int64

        fileprivate init(_ seed: [UInt8], of name: String, _ key: SymmetricKey) throws {
            guard let ciphertext = try AES.GCM.seal(seed, using: key, authenticating: Array(name.utf8)).combined else {
                throw CryptoKitError.incorrectParameterSize
            }
            self.init(ciphertext: Array(ciphertext), lastStep: 0)
        }

        init(ciphertext: [UInt8], lastStep: Int64) {
            self.ciphertext = ciphertext
            self.lastStep = lastStep
        }

        fileprivate func seed(of name: String, _ key: SymmetricKey) throws -> [UInt8] {
            Array(try AES.GCM.open(.init(combined: ciphertext), using: key, authenticating: Array(name.utf8)))
        }
    }

    /// - Throws: `OperatorError.wrongPassword`.
    package func makeFactor(for name: String, password: String) async throws -> NewFactor {
        guard let (_, key) = try await verifyPassword(name, password) else { throw OperatorError.wrongPassword }
        return NewFactor(name: name, seed: Self.random(20), key: key)
    }

    /// Requires a code at each sign-in from now on, and ends the sessions that began without one.
    package func turnOn(_ factor: NewFactor, code: String) async throws {
        guard TOTP(secret: factor.seed).accepts(code.digits, at: now() / 1_000, after: 0) != nil else {
            throw OperatorError.wrongCode
        }
        try await saveFactor(try SealedFactor(factor.seed, of: factor.name, factor.key), of: factor.name)
    }

    /// - Throws: `OperatorError.noSuchOperator`.
    package func turnOffFactor(of name: String) async throws { try await saveFactor(nil, of: name) }

    private func saveFactor(_ factor: SealedFactor?, of name: String) async throws {
        try await store.database.write { db in
            let changed = try db.run(
                "UPDATE operator SET totp = ?, totp_step = NULL WHERE name = ?",
                factor.map { .blob($0.ciphertext) } ?? .null,
                .text(name))
            guard changed == 1 else { throw OperatorError.noSuchOperator(name) }
            try db.run("DELETE FROM session WHERE operator = ? AND purpose IS NULL", .text(name))
        }
    }

    /// Verifies the code of a sign-in whose password was correct.
    func accept(_ code: String?, by factor: SealedFactor, of name: String, _ key: SymmetricKey) async throws {
        guard let code, !code.isEmpty else {
            throw Problem(named: "code-needed", status: 401, title: "A second-factor code is required")
        }
        let seed = try factor.seed(of: name, key)
        let time = now()
        let outcome = codes.withLock {
            $0.take(code.digits, TOTP(secret: seed), of: name, after: factor.lastStep, at: time)
        }
        switch outcome {
        case .tooMany:
            throw Problem(named: "too-many-tries", status: 429, title: "Too many wrong codes", retryAfter: 3_600)
        case .wrong:
            throw Problem(named: "wrong-code", status: 401, title: "Wrong code")
        case .accepted(let step):
            // On a full disk the step is kept in memory only.
            try? await store.database.write { db in
                _ = try db.run("UPDATE operator SET totp_step = ? WHERE name = ?", .integer(step), .text(name))
            }
        }
    }
}

/// Attempted codes by operator. Only operators with a correct password get here, so that the names are few and known.
struct CodeAttempts: Sendable {
    private var steps: [String: Int64] = [:]
    /// Times of wrong codes, in milliseconds.
    private var failures: [String: [Int64]] = [:]
    private static let maxFailuresPerHour = 5

    enum Outcome: Sendable {
        case accepted(step: Int64)
        case wrong, tooMany
    }

    /// Checks a code against replay and rate limit. `time`: Unix milliseconds.
    fileprivate mutating func take(
        _ code: String, _ generator: TOTP, of name: String, after step: Int64, at time: Int64
    ) -> Outcome {
        let recent = (failures[name] ?? []).filter { $0 > time - 3_600_000 }
        failures[name] = recent
        guard recent.count < Self.maxFailuresPerHour else { return .tooMany }
        guard let step = generator.accepts(code, at: time / 1_000, after: max(step, steps[name] ?? 0)) else {
            failures[name] = recent + [time]
            return .wrong
        }
        steps[name] = step
        failures[name] = nil
        return .accepted(step: step)
    }
}

extension String {
    /// Without the spaces with which apps group digits.
    fileprivate var digits: String { filter { !$0.isWhitespace } }
}
