import Console
import VaultFormat
import Wire

/// An account on this machine: the values pinned at first use, and the session if signed in.
struct Account: Codable, Equatable, Sendable {
    var server: String
    var email: String
    var pins: Pins
    var l2: L2Pin
    /// The device token of the last login, which exempts the next login from limits caused by others' failed attempts.
    var device: String?
    var caFile: String?
    /// Nil when signed out. The pins remain.
    var session: Session?

    /// This machine's copy of the wrapped l2Key, in case the node loses or replaces its own.
    struct L2Pin: Codable, Equatable, Sendable {
        /// Never lower than before.
        var generation: Int
        var wrappedKey: String
        /// The oldest generation that an entry may have: the previous one, until its rekey has ended.
        var oldest: Int

        init(_ body: L2Body, after known: L2Pin?) {
            generation = body.generation
            wrappedKey = body.wrappedKey
            oldest = known?.generation == body.generation ? known?.oldest ?? 1 : max(1, body.generation - 1)
        }

        var body: L2Body { L2Body(generation: generation, wrappedKey: wrappedKey) }
    }

    struct Session: Codable, Equatable, Sendable {
        var id: String
        var token: String
        /// In Unix seconds.
        var expiresAt: Int64
    }

    /// Values that must never change: a node that changes them may be malicious.
    struct Pins: Codable, Equatable, Sendable {
        var origin: String
        var salt: String
        var kdf: KDFBody
        var vault: String

        /// - Throws: `CommandFailure` that names the changed value.
        func check(_ answer: PreloginBody) throws {
            let spared = "The password was not used."
            if answer.origin != origin { throw Self.changed("origin", origin, answer.origin, spared) }
            if answer.salt != salt { throw Self.changed("salt", salt, answer.salt, spared) }
            if answer.kdf != kdf { throw Self.changed("key derivation", kdf.text, answer.kdf.text, spared) }
        }

        func check(vault answered: String) throws {
            if answered != vault { throw Self.changed("vault", vault, answered, "Nothing was read or written.") }
        }

        /// The key derivation parameters pinned at first use.
        var prelogin: PreloginBody { PreloginBody(origin: origin, kdf: kdf, salt: salt) }

        private static func changed(_ what: String, _ old: String, _ new: String, _ so: String) -> CommandFailure {
            CommandFailure(
                .refused, "The node's \(what) for this account has changed: it is \(new.printable) instead of \(old).",
                hint: """
                    \(so) The node may have been replaced or tampered with: ask its operator. If the account was \
                    deleted and made anew on purpose: clavitor forget
                    """)
        }
    }

    func vault() throws(L2Failure) -> VaultID {
        guard let vault = VaultID(text: pins.vault) else { throw .notABox }
        return vault
    }
}

extension KDFBody {
    fileprivate var text: String { "\(type) t=\(iterations) m=\(memoryKiB) p=\(parallelism)" }
}
