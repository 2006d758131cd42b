import Encoding
import FoundationEssentials
import SQLite
import Synchronization
import Wire

/// Sessions. On a full disk operators can still sign in and out, because that is when they must see what is wrong.
extension Operators {
    package struct Session: Sendable {
        package var token: String
        package var csrf: String
        /// Milliseconds.
        package var lifetime: Int64

        init(lifetime: Int64) {
            token = "clm_" + Hexadecimal.encode(Operators.random(32))
            csrf = Hexadecimal.encode(Operators.random(16))
            self.lifetime = lifetime
        }
    }

    package struct SignedIn: Sendable {
        package var name: String
        package var csrf: String
        package var readsOnly: Bool
        /// Unix milliseconds.
        package var expires: Int64

        package init(name: String, csrf: String, readsOnly: Bool, expires: Int64) {
            self.name = name
            self.csrf = csrf
            self.readsOnly = readsOnly
            self.expires = expires
        }
    }

    package func signedIn(_ token: String) async throws -> SignedIn? {
        let hash = PushToken.hash(token)
        let now = now()
        let (here, isOver) = inMemorySessions.withLock { ($0.pending[hash], $0.ended.contains(hash)) }
        if isOver { return nil }
        if let here {
            // A removed operator, or one with a new password, is signed out.
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
            ) { row in
                SignedIn(
                    name: try row.text("operator"), csrf: try row.text("csrf"),
                    readsOnly: try row.int("reads_only") != 0, expires: try row.integer("expires"))
            }
        }
    }

    /// Ends a session. If it cannot be stored, the session ends all the same, and is deleted with the next write that
    /// succeeds.
    package func signOut(_ token: String) async {
        let ended = inMemorySessions.withLock { $0.end(PushToken.hash(token)) }
        do {
            try await store.database.write { db in
                for hash in ended { try db.run("DELETE FROM session WHERE token_hash = ?", .blob(hash)) }
            }
            inMemorySessions.withLock { $0.ended.subtract(ended) }
        } catch {}
    }

    /// Starts a browser session. When the disk cannot be written it is kept in memory, until a restart. `salt`: Of the
    /// password.
    func begin(_ name: String, salt: [UInt8], lifetime: Int64) async throws -> Session {
        do {
            return try await open(name, lifetime: lifetime)
        } catch is SQLiteError {
            let session = Session(lifetime: lifetime)
            let signedIn = SignedIn(name: name, csrf: session.csrf, readsOnly: false, expires: now() + lifetime)
            inMemorySessions.withLock { $0.begin(PushToken.hash(session.token), .init(session: signedIn, salt: salt)) }
            return session
        }
    }

    /// Stores a session. `purpose`: The tool's purpose; nil for a browser session.
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
