package import Crypto
import Encoding
import FoundationEssentials
import Secrets

/// The secret box: committing AEAD for everything encrypted at rest, `docs/FORMAT.md`, "Secret box, suite 1".
///
/// A fresh salt gives every secret box its own key, so the nonce can be zero. A commitment to that key makes a secret box open
/// under one key only, which AES-GCM alone does not guarantee.
package enum Box {
    /// Bytes that a secret box adds to its plaintext.
    package static let overhead = 78
    /// Maximum plaintext length in bytes: 1 MiB.
    package static let largestPlaintext = 1 << 20

    private static let format: UInt8 = 2
    private static let suite: UInt8 = 1
    private static let headerCount = 30
    private static let commitmentEnd = 62
    private static let tagCount = 16
    private static let info = Array("clav2/box".utf8)
    // Twelve bytes are always a valid nonce.
    // swift-format-ignore: NeverUseForceTry
    private static let nonce = try! AES.GCM.Nonce(data: [UInt8](repeating: 0, count: 12))

    /// Encrypts `plaintext` (at most 1 MiB), bound to `context`.
    ///
    /// `keyID`: The root key's id in an outer secret box, else 0.
    package static func seal(_ plaintext: [UInt8], key: SymmetricKey, context: Context, keyID: UInt32 = 0) -> [UInt8] {
        encrypt(plaintext, key: key, context: context, keyID: keyID)
    }

    /// Encrypts a key, without a copy of it.
    package static func seal(_ secret: SymmetricKey, key: SymmetricKey, context: Context, keyID: UInt32 = 0) -> [UInt8]
    {
        encrypt(secret.bytes, key: key, context: context, keyID: keyID)
    }

    private static func encrypt(
        _ plaintext: some DataProtocol, key: SymmetricKey, context: Context, keyID: UInt32
    ) -> [UInt8] {
        precondition(plaintext.count <= largestPlaintext, "callers bound what they seal")
        var generator = SystemRandomNumberGenerator()
        let salt = (0..<3).flatMap { _ in generator.next().bigEndianBytes }
        var box = [format, suite] + keyID.bigEndianBytes + salt
        let keys = derive(key, header: box[...], context: context)
        box += keys.commitment
        // Sealing fails for a wrong key size only, and the key is 32 bytes.
        // swift-format-ignore: NeverUseForceTry
        let sealed = try! AES.GCM.seal(plaintext, using: keys.key, nonce: nonce)
        box += sealed.ciphertext
        box += sealed.tag
        return box
    }

    /// Decrypts a secret box made for exactly this key and context.
    ///
    /// - Throws: `malformed` for bytes that are not a secret box, `wrongKeyOrContext` when the commitment differs,
    ///   `damaged` when the key is right and the ciphertext was modified.
    package static func open(_ box: [UInt8], key: SymmetricKey, context: Context) throws(BoxError) -> [UInt8] {
        var plaintext = try decrypt(box, key: key, context: context)
        defer { wipe(&plaintext) }
        return Array(plaintext)
    }

    /// Decrypts a key and wipes the buffer that it was decrypted to. Throws as `open` does.
    package static func openKey(
        _ box: [UInt8], key: SymmetricKey, context: Context
    ) throws(BoxError) -> SymmetricKey {
        var plaintext = try decrypt(box, key: key, context: context)
        return SymmetricKey(wiping: &plaintext)
    }

    private static func decrypt(_ box: [UInt8], key: SymmetricKey, context: Context) throws(BoxError) -> Data {
        _ = try keyID(of: box)
        let keys = derive(key, header: box[..<headerCount], context: context)
        let commitment = Array(box[headerCount..<commitmentEnd])
        guard constantTimeEqual(keys.commitment, commitment) else { throw .wrongKeyOrContext }
        do {
            let sealed = try AES.GCM.SealedBox(
                nonce: nonce,
                ciphertext: box[commitmentEnd..<(box.count - tagCount)],
                tag: box[(box.count - tagCount)...]
            )
            return try AES.GCM.open(sealed, using: keys.key)
        } catch {
            throw .damaged
        }
    }

    /// Checks format, suite and length, and returns the key id (0 in an inner secret box).
    @discardableResult
    package static func keyID(of box: [UInt8]) throws(BoxError) -> UInt32 {
        guard box.count >= overhead, box.count <= overhead + largestPlaintext, box[0] == format, box[1] == suite else {
            throw .malformed
        }
        return box[2..<6].reduce(0) { $0 << 8 | UInt32($1) }
    }

    private static func derive(
        _ key: SymmetricKey,
        header: ArraySlice<UInt8>,
        context: Context
    ) -> (key: SymmetricKey, commitment: [UInt8]) {
        let both = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: key,
            salt: header.dropFirst(6),
            info: info + header.prefix(6) + context.bytes,
            outputByteCount: 64
        )
        return (both.key(at: 0..<32), both.publicBytes(at: 32..<64))
    }
}

package enum BoxError: Error, Equatable, Sendable {
    /// Not a secret box of a known format and suite, or of an impossible length.
    case malformed
    /// Not sealed under this key for this context.
    case wrongKeyOrContext
    /// Sealed under this key for this context, and modified since.
    case damaged
}
