import Console
import VaultFormat
import Wire

/// An account as this machine knows it: what it saw at first use and holds the node to, and the session if there is
/// one.
struct Account: Codable, Equatable, Sendable {
    var server: String
    var email: String
    var pins: Pins
    /// This machine's own copy of the wrapped l2Key: a node that lost or replaced its own cannot lock the owner out.
    var wrappedL2Key: String
    /// What the last login answered; spares the next one what strangers do.
    var device: String?
    var caFile: String?
    /// Nil when signed out; the pins stay.
    var session: Session?

    struct Session: Codable, Equatable, Sendable {
        var id: String
        var token: String
        /// Unix seconds.
        var expiresAt: Int64
    }

    /// What must never change, because a node that changes it wants something.
    struct Pins: Codable, Equatable, Sendable {
        var origin: String
        var salt: String
        var kdf: KDFBody
        var vault: String

        /// - Throws: `CommandFailure` naming what the node answers differently.
        func check(_ answer: PreloginBody) throws {
            let spared = "The password was not used."
            if answer.origin != origin { throw Self.changed("origin", origin, answer.origin, spared) }
            if answer.salt != salt { throw Self.changed("salt", salt, answer.salt, spared) }
            if answer.kdf != kdf { throw Self.changed("key derivation", kdf.text, answer.kdf.text, spared) }
        }

        func check(vault answered: String) throws {
            if answered != vault { throw Self.changed("vault", vault, answered, "Nothing was read or written.") }
        }

        /// What the keys were derived with, as the node said it at first use.
        var prelogin: PreloginBody { PreloginBody(origin: origin, kdf: kdf, salt: salt) }

        private static func changed(_ what: String, _ old: String, _ new: String, _ so: String) -> CommandFailure {
            CommandFailure(
                .refused, "The node's \(what) for this account is not what it was: \(new.printable) instead of \(old).",
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
