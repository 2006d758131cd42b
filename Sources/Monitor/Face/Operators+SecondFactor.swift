import Crypto
import OneTimePasswords
import SQLite
import Synchronization
import Wire

/// A code besides the password (RFC 6238). The seed lies in the file boxed with a key that only the password gives: whoever
/// has the file has neither.
extension Operators {
    /// A seed that counts once a code of it was seen.
    package struct NewFactor: Sendable {
        let name: String
        let seed: [UInt8]
        fileprivate let key: SymmetricKey

        /// For authenticator apps (https://github.com/google/google-authenticator/wiki/Key-Uri-Format).
        package var uri: String {
            "otpauth://totp/Clavitor%20monitor:\(name.percentEncoded)?secret=\(Base32.encode(seed))&issuer=Clavitor%20monitor"
        }
    }

    /// As it stands in the file.
    struct BoxedFactor: Sendable {
        var box: [UInt8]
        /// Of the code that was taken last.
        var lastStep: Int64

        fileprivate init(_ seed: [UInt8], of name: String, _ key: SymmetricKey) throws {
            guard let box = try AES.GCM.seal(seed, using: key, authenticating: Array(name.utf8)).combined else {
                throw CryptoKitError.incorrectParameterSize
            }
            self.init(box: Array(box), lastStep: 0)
        }

        init(box: [UInt8], lastStep: Int64) {
            self.box = box
            self.lastStep = lastStep
        }

        fileprivate func seed(of name: String, _ key: SymmetricKey) throws -> [UInt8] {
            Array(try AES.GCM.open(.init(combined: box), using: key, authenticating: Array(name.utf8)))
        }
    }

    /// - Throws: `OperatorRefusal.wrongPassword`.
    package func makeFactor(for name: String, password: String) async throws -> NewFactor {
        guard let (_, key) = try await identify(name, password) else { throw OperatorRefusal.wrongPassword }
        return NewFactor(name: name, seed: Self.random(20), key: key)
    }

    /// Asks for a code at each sign-in from now on, and ends the sessions that began without one.
    ///
    /// - Throws: `OperatorRefusal.wrongCode`, `.noSuchOperator`.
    package func turnOn(_ factor: NewFactor, code: String) async throws {
        guard TOTP(secret: factor.seed).accepts(code.digits, at: now() / 1_000, after: 0) != nil else {
            throw OperatorRefusal.wrongCode
        }
        try await keep(try BoxedFactor(factor.seed, of: factor.name, factor.key), of: factor.name)
    }

    /// - Throws: `OperatorRefusal.noSuchOperator`.
    package func turnOffFactor(of name: String) async throws { try await keep(nil, of: name) }

    private func keep(_ factor: BoxedFactor?, of name: String) async throws {
        try await store.database.write { db in
            let changed = try db.run(
                "UPDATE operator SET totp = ?, totp_step = NULL WHERE name = ?", factor.map { .blob($0.box) } ?? .null,
                .text(name))
            guard changed == 1 else { throw OperatorRefusal.noSuchOperator(name) }
            try db.run("DELETE FROM session WHERE operator = ? AND purpose IS NULL", .text(name))
        }
    }

    /// Of a sign-in whose password was right.
    func accept(_ code: String?, by factor: BoxedFactor, of name: String, _ key: SymmetricKey) async throws {
        guard let code, !code.isEmpty else {
            throw Problem(named: "code-needed", status: 401, title: "A code of the second factor is needed")
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
        case .taken(let step):
            // On a full disk memory remembers it alone.
            try? await store.database.write { db in
                _ = try db.run("UPDATE operator SET totp_step = ? WHERE name = ?", .integer(step), .text(name))
            }
        }
    }
}

/// Codes that were tried, by operators whose password was right: few names, and all of them known.
struct CodeTries: Sendable {
    private var steps: [String: Int64] = [:]
    /// Of wrong ones, in milliseconds.
    private var failures: [String: [Int64]] = [:]
    private static let mostInAnHour = 5

    enum Outcome: Sendable {
        case taken(step: Int64)
        case wrong, tooMany
    }

    /// `time`: Unix milliseconds.
    fileprivate mutating func take(
        _ code: String, _ generator: TOTP, of name: String, after step: Int64, at time: Int64
    ) -> Outcome {
        let recent = (failures[name] ?? []).filter { $0 > time - 3_600_000 }
        failures[name] = recent
        guard recent.count < Self.mostInAnHour else { return .tooMany }
        guard let step = generator.accepts(code, at: time / 1_000, after: max(step, steps[name] ?? 0)) else {
            failures[name] = recent + [time]
            return .wrong
        }
        steps[name] = step
        failures[name] = nil
        return .taken(step: step)
    }
}

extension String {
    /// Apps show codes in groups.
    fileprivate var digits: String { filter { !$0.isWhitespace } }

    /// RFC 3986 section 2.1: all but what is unreserved.
    fileprivate var percentEncoded: String {
        utf8.map { byte in
            let character = Character(UnicodeScalar(byte))
            let isUnreserved = byte < 0x80 && (character.isLetter || character.isNumber || "-._~".contains(character))
            return isUnreserved ? String(character) : "%" + [byte].hex.uppercased()
        }.joined()
    }
}
