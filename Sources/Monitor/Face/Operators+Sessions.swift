import FoundationEssentials
import SQLite
import Synchronization
import Wire

/// Who is signed in. On a full disk people sign in and out all the same: then, above all, somebody must see what is wrong.
extension Operators {
    struct Session: Sendable {
        var token: String
        var csrf: String
        /// Milliseconds.
        var lifetime: Int64

        init(lifetime: Int64) {
            token = "clm_" + Operators.random(32).hex
            csrf = Operators.random(16).hex
            self.lifetime = lifetime
        }
    }

    struct SignedIn: Sendable {
        var name: String
        var csrf: String
        var readsOnly: Bool
        /// Unix milliseconds.
        var expires: Int64
    }

    func signedIn(_ token: String) async throws -> SignedIn? {
        let hash = PushToken.hash(token)
        let now = now()
        let (here, isOver) = unwritten.withLock { ($0.begun[hash], $0.ended.contains(hash)) }
        if isOver { return nil }
        if let here {
            // Whoever was removed meanwhile, or has another password, is signed out.
            let isSame = try store.database.lookUp { db in
                try db.first(
                    "SELECT 1 FROM operator WHERE name = ? AND salt = ?", .text(here.session.name), .blob(here.salt)
                ) { _ in true }
            }
            return isSame == true && here.session.expires > now ? here.session : nil
        }
        return try store.database.lookUp { db in
            try db.first(
                "SELECT operator, csrf, reads_only, expires FROM session WHERE token_hash = ? AND expires > ?",
                .blob(hash), .integer(now)
            ) { SignedIn(name: $0.text(0), csrf: $0.text(1), readsOnly: $0.integer(2) != 0, expires: $0.integer(3)) }
        }
    }

    /// Ends a session. What cannot be written down is ended all the same, and written down with the next that can.
    func signOut(_ token: String) async {
        let ended = unwritten.withLock { $0.end(PushToken.hash(token)) }
        do {
            try await store.database.write { db in
                for hash in ended { try db.run("DELETE FROM session WHERE token_hash = ?", .blob(hash)) }
            }
            unwritten.withLock { $0.ended.subtract(ended) }
        } catch {}
    }

    /// A browser's session. On a disk that takes nothing it stands in memory, until a restart. `salt`: Of the password.
    func begin(_ name: String, salt: [UInt8], lifetime: Int64) async throws -> Session {
        do {
            return try await open(name, lifetime: lifetime)
        } catch is SQLiteError {
            let session = Session(lifetime: lifetime)
            let signedIn = SignedIn(name: name, csrf: session.csrf, readsOnly: false, expires: now() + lifetime)
            unwritten.withLock { $0.begin(PushToken.hash(session.token), .init(session: signedIn, salt: salt)) }
            return session
        }
    }

    /// `purpose`: A tool's; nil for a browser's session.
    func open(_ name: String, lifetime: Int64, readsOnly: Bool = false, for purpose: String? = nil) async throws
        -> Session
    {
        let session = Session(lifetime: lifetime)
        let (hash, expires) = (PushToken.hash(session.token), now() + lifetime)
        _ = try await store.database.write { db in
            try db.run(
                """
                INSERT INTO session (token_hash, operator, csrf, expires, reads_only, purpose) VALUES (?, ?, ?, ?, ?, ?)
                """, .blob(hash), .text(name), .text(session.csrf), .integer(expires), .integer(readsOnly ? 1 : 0),
                purpose.map { .text($0) } ?? .null)
        }
        return session
    }
}

/// What of the sessions could not be written down, by the hash of their token.
struct UnwrittenSessions: Sendable {
    struct Begun: Sendable {
        var session: Operators.SignedIn
        var salt: [UInt8]
    }

    private(set) var begun: [[UInt8]: Begun] = [:]
    /// That stand on the disk and are over: no more than those there.
    fileprivate(set) var ended: Set<[UInt8]> = []
    /// Operators are few.
    private static let most = 200

    mutating func begin(_ hash: [UInt8], _ session: Begun) {
        if begun.count >= Self.most, let oldest = begun.min(by: { $0.value.session.expires < $1.value.session.expires })
        {
            begun[oldest.key] = nil
        }
        begun[hash] = session
    }

    /// - Returns: All that are to be ended on the disk.
    fileprivate mutating func end(_ hash: [UInt8]) -> Set<[UInt8]> {
        if begun.removeValue(forKey: hash) == nil { ended.insert(hash) }
        return ended
    }
}
