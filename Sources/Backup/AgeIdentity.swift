import Crypto
import Encoding
import Secrets

/// A secret key that decrypts files: `AGE-SECRET-KEY-1…` (specification, "The X25519 recipient type").
///
/// Its bytes are in the Curve25519 key alone, and it has no description.
package struct AgeIdentity: Sendable {
    /// The prefix of every age secret, whatever its type.
    static let marker = "AGE-SECRET-KEY-"

    private let key: Curve25519.KeyAgreement.PrivateKey

    private init(_ key: Curve25519.KeyAgreement.PrivateKey) {
        self.key = key
    }

    package static func generate() -> AgeIdentity {
        AgeIdentity(Curve25519.KeyAgreement.PrivateKey())
    }

    /// - Parameter text: One identity in upper case, without surrounding white space.
    /// - Throws: `invalidIdentity` or `unsupportedKeyType`, with line 1.
    package init(_ text: some StringProtocol) throws(AgeError) {
        try self.init(text, line: 1)
    }

    /// Parses the identities in a file such as `age-keygen` writes.
    ///
    /// - Throws: The errors of `init`, with the line number; `noIdentities` if there is none.
    package static func list(_ file: String) throws(AgeError) -> [AgeIdentity] {
        var identities: [AgeIdentity] = []
        for (number, text) in keyLines(file) {
            identities.append(try AgeIdentity(text, line: number))
        }
        guard !identities.isEmpty else { throw .noIdentities }
        return identities
    }

    private init(_ text: some StringProtocol, line: Int) throws(AgeError) {
        guard var decoded = Bech32.decode(text) else { throw .invalidIdentity(line: line) }
        defer { wipe(&decoded.bytes) }
        if decoded.prefix != Self.marker, decoded.prefix.hasPrefix("AGE-") { throw .unsupportedKeyType(line: line) }
        guard decoded.prefix == Self.marker,
            let key = try? Curve25519.KeyAgreement.PrivateKey(rawRepresentation: decoded.bytes)
        else { throw .invalidIdentity(line: line) }
        self.key = key
    }

    package var recipient: AgeRecipient { AgeRecipient(key.publicKey) }

    /// The secret as text, to be printed or written once. A `String` cannot be wiped: do not store it.
    package func revealed() -> String {
        var bytes = Array(key.rawRepresentation)
        defer { wipe(&bytes) }
        return Bech32.encode(prefix: Self.marker.lowercased(), bytes: bytes).uppercased()
    }

    /// Unwraps the file key from the first stanza for this identity. Nil if there is none.
    ///
    /// - Throws: `malformedHeader` for an X25519 stanza that breaks the format, `lowOrderPoint` for a forged one: the
    ///   whole file is rejected then, even if a later stanza is valid.
    func unwrap(_ stanzas: [AgeStanza]) throws(AgeError) -> FileKey? {
        for stanza in stanzas where stanza.type == AgeRecipient.stanzaType {
            guard stanza.arguments.count == 2,
                let share = Base64.decodeUnpadded(Array(stanza.arguments[1].utf8)[...]),
                let publicKey = try? Curve25519.KeyAgreement.PublicKey(rawRepresentation: share),
                // Checked before any decryption, against partitioning oracle attacks.
                stanza.body.count == 32
            else { throw .malformedHeader(line: stanza.line, .x25519) }
            let wrapKey = AgeRecipient.wrapKey(
                secret: try key.agree(with: publicKey),
                share: share,
                recipient: key.publicKey
            )
            if let fileKey = FileKey.unwrapped(stanza.body, under: wrapKey) { return fileKey }
        }
        return nil
    }
}
