package import Crypto
import Encoding
import FoundationEssentials

/// The one way in which anything is encrypted at rest: `docs/FORMAT.md`, "Box, suite 1".
///
/// A fresh salt gives every box a key of its own, so the nonce can be zero, and a commitment to that key, so a box
/// opens under one key only (AES-GCM alone does not promise that).
package enum Box {
    /// Bytes that a box is longer than its plaintext.
    package static let overhead = 78
    /// Plaintext bytes at most: 1 MiB.
    package static let largestPlaintext = 1 << 20

    private static let format: UInt8 = 1
    private static let suite: UInt8 = 1
    private static let headerCount = 30
    private static let commitmentEnd = 62
    private static let tagCount = 16
    private static let info = Array("clav1/box".utf8)
    // Twelve zero bytes are always a nonce.
    // swift-format-ignore: NeverUseForceTry
    private static let nonce = try! AES.GCM.Nonce(data: [UInt8](repeating: 0, count: 12))

    /// Encrypts `plaintext` (at most 1 MiB) for the place `context`.
    ///
    /// `keyID`: The root key's id in an outer box, else 0.
    package static func seal(_ plaintext: [UInt8], key: SymmetricKey, context: Context, keyID: UInt32 = 0) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        let salt = (0..<3).flatMap { _ in generator.next().bigEndianBytes }
        return seal(plaintext, key: key, context: context, keyID: keyID, salt: salt)
    }

    /// With a salt of the caller's: for test vectors. A salt must never be used twice with a key.
    package static func seal(
        _ plaintext: [UInt8],
        key: SymmetricKey,
        context: Context,
        keyID: UInt32,
        salt: [UInt8]
    ) -> [UInt8] {
        precondition(plaintext.count <= largestPlaintext && salt.count == 24, "callers bound what they seal")
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

    /// Decrypts a box made for exactly this key and context.
    ///
    /// - Throws: `malformed` for bytes that are no box, `wrongKeyOrContext` when the commitment differs,
    ///   `damaged` when the key is right and the ciphertext was changed.
    package static func open(_ box: [UInt8], key: SymmetricKey, context: Context) throws(BoxError) -> [UInt8] {
        _ = try keyID(of: box)
        let keys = derive(key, header: box[..<headerCount], context: context)
        guard constantTimeEqual(keys.commitment, box[headerCount..<commitmentEnd]) else { throw .wrongKeyOrContext }
        do {
            let sealed = try AES.GCM.SealedBox(
                nonce: nonce,
                ciphertext: box[commitmentEnd..<(box.count - tagCount)],
                tag: box[(box.count - tagCount)...]
            )
            return Array(try AES.GCM.open(sealed, using: keys.key))
        } catch {
            throw .damaged
        }
    }

    /// Checks that the bytes have a box's shape, and gives the key id in it (0 in an inner box).
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
        let bytes = both.bytes
        return (SymmetricKey(data: bytes[..<32]), Array(bytes[32...]))
    }
}

package enum BoxError: Error, Equatable, Sendable {
    /// Not a box of a known format and suite, or of an impossible length.
    case malformed
    /// Not sealed under this key for this place.
    case wrongKeyOrContext
    /// Sealed under this key for this place, and changed since.
    case damaged
}
