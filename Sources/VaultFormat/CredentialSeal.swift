import Crypto
import Encoding
import Secrets

/// What a node can do with a kit or passkey while its secret is absent: seal a new key holder to it, tell a wrong secret, and verify
/// a passkey's assertions. `docs/FORMAT.md`, "Credentials".
package struct CredentialSeal: Sendable {
    /// Raw representation of an X-Wing public key. 1,216 bytes.
    private let publicKey: [UInt8]
    /// Derived from the secret. 32 bytes, compared before anything else is opened.
    package let check: [UInt8]
    /// The public key of a passkey; nil for a kit.
    package let assertionKey: AssertionKey?

    private static let publicKeyCount = 1_216
    private static let checkCount = 32

    init(_ kind: CredentialKind, id: CredentialID, secret: SymmetricKey, assertionKey: AssertionKey?) throws {
        let key = try Self.sealingKey(of: secret, kind: kind, id: id)
        publicKey = Array(key.publicKey.rawRepresentation)
        check = Self.check(of: secret, kind: kind, id: id)
        self.assertionKey = assertionKey
    }

    /// Decodes the bytes of `seal`'s plaintext.
    package init(_ bytes: [UInt8], kind: CredentialKind) throws(BoxError) {
        let end = Self.publicKeyCount + Self.checkCount
        guard bytes.count >= end else { throw .malformed }
        publicKey = Array(bytes[..<Self.publicKeyCount])
        check = Array(bytes[Self.publicKeyCount..<end])
        let rest = bytes[end...]
        switch kind {
        case .passkey:
            guard let first = rest.first, let algorithm = AssertionKey.Algorithm(rawValue: first), rest.count > 1
            else { throw .malformed }
            assertionKey = AssertionKey(algorithm: algorithm, spki: Array(rest.dropFirst()))
        case .recovery, .password, .session, .agent:
            guard rest.isEmpty else { throw .malformed }
            assertionKey = nil
        }
    }

    package var bytes: [UInt8] {
        publicKey + check + (assertionKey.map { [$0.algorithm.rawValue] + $0.spki } ?? [])
    }

    /// Seals a key holder's secret to the credential.
    func seal(_ secret: SymmetricKey, context: Context) throws -> [UInt8] {
        let key = try XWingMLKEM768X25519.PublicKey(rawRepresentation: publicKey)
        return try SealedWrap.seal(secret, to: key, context: context)
    }

    static func check(of secret: SymmetricKey, kind: CredentialKind, id: CredentialID) -> [UInt8] {
        let key = secret.derive(Context("credential-check", Array(kind.rawValue.utf8), id.bytes))
        return key.publicBytes(at: 0..<checkCount)
    }

    static func sealingKey(
        of secret: SymmetricKey, kind: CredentialKind, id: CredentialID
    ) throws -> XWingMLKEM768X25519.PrivateKey {
        let seed = secret.derive(Context("credential-seal", Array(kind.rawValue.utf8), id.bytes))
        return try XWingMLKEM768X25519.PrivateKey(seedRepresentation: seed.bytes, publicKey: nil)
    }

    package static func context(vault: VaultID, id: CredentialID) -> Context {
        NodeTierItem.credential.context(vault: vault, id: id.bytes)
    }
}

/// The public key with which a passkey's assertions are verified.
package struct AssertionKey: Equatable, Sendable {
    package let algorithm: Algorithm
    /// DER of a SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7).
    package let spki: [UInt8]

    /// Stored numbers.
    package enum Algorithm: UInt8, Sendable, CaseIterable {
        /// ECDSA with P-256 and SHA-256.
        case es256 = 1
        /// RSASSA-PKCS1-v1_5 with SHA-256.
        case rs256 = 2
    }

    package init(algorithm: Algorithm, spki: [UInt8]) {
        self.algorithm = algorithm
        self.spki = spki
    }
}

extension CredentialID {
    /// The number that is printed on a kit, such as `7Q2X-ABCD`: its owner can tell it from another one.
    package var kitNumber: String {
        let digits = Base32.encode(Array(bytes.prefix(5)))
        return "\(digits.prefix(4))-\(digits.suffix(4))"
    }
}
