import Backup
import Crypto
import Foundation

/// Writes invalid age files with a correct MAC, so that only the check under test can reject them. Shares no code with
/// the module: it is a second implementation of the specification.
struct Forgery {
    /// The example of the specification: 32 bytes of 0x42.
    static let identityText = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"
    static let recipientText = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"

    var fileKey = [UInt8](repeating: 7, count: 16)
    var nonce = [UInt8](repeating: 9, count: 16)

    static func identity() throws(AgeError) -> AgeIdentity { try AgeIdentity(identityText) }

    static func base64(_ bytes: some Sequence<UInt8>) -> String {
        Data(bytes).base64EncodedString().replacing("=", with: "")
    }

    /// Share and body of a stanza that `identityText` decrypts.
    func x25519() throws -> (share: String, body: String) {
        let recipient = try Curve25519.KeyAgreement.PrivateKey(rawRepresentation: [UInt8](repeating: 0x42, count: 32))
        let ephemeral = Curve25519.KeyAgreement.PrivateKey()
        let share = ephemeral.publicKey.rawRepresentation
        let secret = try ephemeral.sharedSecretFromKeyAgreement(with: recipient.publicKey)
        return (Self.base64(share), try body(secret: secret, share: share))
    }

    /// A body for everyone who derives `secret` from `share`.
    func body(secret: SharedSecret, share: Data) throws -> String {
        let recipient = try Curve25519.KeyAgreement.PrivateKey(rawRepresentation: [UInt8](repeating: 0x42, count: 32))
        let wrapKey = secret.hkdfDerivedSymmetricKey(
            using: SHA256.self,
            salt: share + recipient.publicKey.rawRepresentation,
            sharedInfo: Data("age-encryption.org/v1/X25519".utf8),
            outputByteCount: 32
        )
        let zero = try ChaChaPoly.Nonce(data: Data(count: 12))
        return Self.base64(try ChaChaPoly.seal(fileKey, using: wrapKey, nonce: zero).combined.dropFirst(12))
    }

    /// A header with these lines and a correct MAC.
    func header(lines: [String]) -> [UInt8] {
        let text = Data((["age-encryption.org/v1"] + lines + ["---"]).joined(separator: "\n").utf8)
        return [UInt8](text) + [UInt8](" \(Self.base64(mac(text)))\n".utf8)
    }

    /// A header with one valid stanza.
    func header() throws -> [UInt8] {
        let (share, body) = try x25519()
        return header(lines: ["-> X25519 \(share)", body])
    }

    func mac(_ text: Data) -> Data {
        let key = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: fileKey),
            info: Data("header".utf8),
            outputByteCount: 32
        )
        return Data(HMAC<SHA256>.authenticationCode(for: text, using: key))
    }

    /// A payload of chunks with arbitrary numbers and flags.
    func payload(_ chunks: (text: [UInt8], number: UInt8, isLast: Bool)...) throws -> [UInt8] {
        let key = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: fileKey),
            salt: nonce,
            info: Data("payload".utf8),
            outputByteCount: 32
        )
        return try chunks.reduce(nonce) { payload, chunk in
            let nonce = try ChaChaPoly.Nonce(data: Data(count: 10) + [chunk.number, chunk.isLast ? 1 : 0])
            return payload + (try ChaChaPoly.seal(chunk.text, using: key, nonce: nonce).combined.dropFirst(12))
        }
    }
}
