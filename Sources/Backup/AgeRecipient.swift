import Crypto
import Encoding

/// A public key to which files are encrypted: `age1…` (specification, "The X25519 recipient type").
package struct AgeRecipient: Sendable {
    static let stanzaType = "X25519"
    private static let prefix = "age"

    private let key: Curve25519.KeyAgreement.PublicKey

    init(_ key: Curve25519.KeyAgreement.PublicKey) {
        self.key = key
    }

    /// - Parameter text: One recipient in lower case, without surrounding white space.
    /// - Throws: `invalidRecipient`, `secretKeyAsRecipient`, `unsupportedKeyType`, all with line 1; `lowOrderPoint` for a
    ///   point whose shared secret is the same for every key.
    package init(_ text: some StringProtocol) throws(AgeError) {
        try self.init(text, line: 1)
    }

    /// Parses a recipients file: one recipient per line, empty lines and `#` comments are skipped.
    ///
    /// - Throws: The errors of `init`, with the line number; `noRecipients` if there is none.
    package static func list(_ file: String) throws(AgeError) -> [AgeRecipient] {
        var recipients: [AgeRecipient] = []
        for (number, text) in keyLines(file) {
            recipients.append(try AgeRecipient(text, line: number))
        }
        guard !recipients.isEmpty else { throw .noRecipients }
        return recipients
    }

    private init(_ text: some StringProtocol, line: Int) throws(AgeError) {
        guard let (prefix, bytes) = Bech32.decode(text) else {
            // A mistyped secret key is still secret, so the error must say what it is.
            throw text.uppercased().hasPrefix(AgeIdentity.marker)
                ? .secretKeyAsRecipient(line: line) : .invalidRecipient(line: line)
        }
        if prefix.uppercased().hasPrefix(AgeIdentity.marker) { throw .secretKeyAsRecipient(line: line) }
        if prefix.hasPrefix("age1") { throw .unsupportedKeyType(line: line) }
        guard prefix == Self.prefix, let key = try? Curve25519.KeyAgreement.PublicKey(rawRepresentation: bytes) else {
            throw .invalidRecipient(line: line)
        }
        // A key agreement with any private key detects a low-order point here instead of at the next backup.
        _ = try Curve25519.KeyAgreement.PrivateKey().agree(with: key)
        self.key = key
    }

    /// Wraps the file key for this recipient under a new ephemeral key.
    func wrap(_ fileKey: FileKey) throws(AgeError) -> AgeStanza {
        let ephemeral = Curve25519.KeyAgreement.PrivateKey()
        let share = Array(ephemeral.publicKey.rawRepresentation)
        let wrapKey = Self.wrapKey(secret: try ephemeral.agree(with: key), share: share, recipient: key)
        guard let body = try? fileKey.wrapped(under: wrapKey) else {
            preconditionFailure("ChaCha20-Poly1305 seals 16 bytes under a 32-byte key")
        }
        return AgeStanza(
            arguments: [Self.stanzaType, String(decoding: Base64.encodeUnpadded(share), as: UTF8.self)],
            body: body
        )
    }

    static func wrapKey(
        secret: SharedSecret,
        share: [UInt8],
        recipient: Curve25519.KeyAgreement.PublicKey
    ) -> SymmetricKey {
        secret.hkdfDerivedSymmetricKey(
            using: SHA256.self,
            salt: share + Array(recipient.rawRepresentation),
            sharedInfo: [UInt8]("age-encryption.org/v1/X25519".utf8),
            outputByteCount: 32
        )
    }
}

extension AgeRecipient: Equatable {
    package static func == (left: AgeRecipient, right: AgeRecipient) -> Bool {
        Array(left.key.rawRepresentation) == Array(right.key.rawRepresentation)
    }
}

extension AgeRecipient: CustomStringConvertible {
    /// The text form, as `init` parses it.
    package var description: String {
        Bech32.encode(prefix: Self.prefix, bytes: Array(key.rawRepresentation))
    }
}

extension Curve25519.KeyAgreement.PrivateKey {
    /// X25519 that rejects an all-zero result (RFC 7748, section 6.1).
    ///
    /// swift-crypto deliberately does not check, because CryptoKit does not; the age specification requires the check.
    func agree(with other: Curve25519.KeyAgreement.PublicKey) throws(AgeError) -> SharedSecret {
        guard let secret = try? sharedSecretFromKeyAgreement(with: other) else { throw .lowOrderPoint }
        // Compares in constant time.
        if secret == [UInt8](repeating: 0, count: 32) { throw .lowOrderPoint }
        return secret
    }
}

/// The lines of a key file that contain a key, numbered from 1.
func keyLines(_ file: String) -> [(number: Int, text: Substring)] {
    file.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated().compactMap { index, line in
        let start = line.drop { $0 == " " || $0 == "\t" }
        let end = start.lastIndex { $0 != " " && $0 != "\t" }
        guard let end, start.first != "#" else { return nil }
        return (index + 1, start[...end])
    }
}
