package import Crypto
import FoundationEssentials
import Secrets

/// A key sealed to an absent key holder or credential: HPKE base mode (RFC 9180) with X-Wing, `docs/FORMAT.md`, "suite 2".
package enum SealedWrap {
    package static let count = 1_174
    private static let header: [UInt8] = [2, 2, 0, 0, 0, 0]
    private static let encapsulatedCount = 1_120
    private static let ciphersuite = HPKE.Ciphersuite.XWingMLKEM768X25519_SHA256_AES_GCM_256

    /// Whether bytes begin as a sealed wrap does, not as a secret box.
    static func isSealed(_ bytes: [UInt8]) -> Bool { bytes.starts(with: header) }

    /// Seals 32 bytes to `recipient`.
    package static func seal(
        _ key: SymmetricKey,
        to recipient: XWingMLKEM768X25519.PublicKey,
        context: Context
    ) throws -> [UInt8] {
        var sender = try HPKE.Sender(recipientKey: recipient, ciphersuite: ciphersuite, info: info(context))
        let sealed = try sender.seal(key.bytes)
        return header + sender.encapsulatedKey + sealed
    }

    /// Opens a sealed wrap made for exactly this key and context.
    package static func open(
        _ sealed: [UInt8],
        with privateKey: XWingMLKEM768X25519.PrivateKey,
        context: Context
    ) throws(BoxError) -> SymmetricKey {
        guard sealed.count == count, sealed.starts(with: header) else { throw .malformed }
        do {
            var recipient = try HPKE.Recipient(
                privateKey: privateKey,
                ciphersuite: ciphersuite,
                info: info(context),
                encapsulatedKey: Data(sealed[header.count..<(header.count + encapsulatedCount)])
            )
            var key = try recipient.open(sealed[(header.count + encapsulatedCount)...])
            return SymmetricKey(wiping: &key)
        } catch {
            // HPKE cannot distinguish a wrong key from a modified ciphertext; the outer secret box can.
            throw .wrongKeyOrContext
        }
    }

    private static func info(_ context: Context) -> Data {
        Data(Array("clav2/seal".utf8) + header + context.bytes)
    }
}

extension SymmetricKey {
    /// Derives a key by HKDF-SHA256 with an empty salt and the context as `info`; 32 bytes.
    package func derive(_ context: Context, count: Int = 32) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(inputKeyMaterial: self, info: context.bytes, outputByteCount: count)
    }
}
