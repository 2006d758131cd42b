import Crypto
import FoundationEssentials
import Secrets

/// The 128-bit key of one age file (specification, "File key"), stored in `SymmetricKey`, which wipes itself.
struct FileKey {
    static let byteCount = 16

    private let key: SymmetricKey

    /// Generates a random key for one file.
    init() {
        key = SymmetricKey(size: .bits128)
    }

    /// Copies a decrypted key and wipes its buffer.
    init(wiping bytes: inout Data) {
        key = SymmetricKey(wiping: &bytes)
    }

    /// The HMAC key ("Header MAC").
    var macKey: SymmetricKey {
        HKDF<SHA256>.deriveKey(inputKeyMaterial: key, info: [UInt8]("header".utf8), outputByteCount: 32)
    }

    /// The key of the chunks ("Payload").
    func payloadKey(nonce: [UInt8]) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: key,
            salt: nonce,
            info: [UInt8]("payload".utf8),
            outputByteCount: 32
        )
    }

    /// The body of an X25519 stanza: 16 bytes and a tag, 32 in all. The nonce is zero because a wrap key is used once.
    func wrapped(under wrapKey: SymmetricKey) throws -> [UInt8] {
        let box = try ChaChaPoly.seal(key.bytes, using: wrapKey, nonce: .zero)
        return Array(box.ciphertext) + Array(box.tag)
    }

    /// Unwraps a file key. Nil if `wrapKey` is not the key that sealed `body`.
    static func unwrapped(_ body: [UInt8], under wrapKey: SymmetricKey) -> FileKey? {
        guard body.count == byteCount + 16,
            let nonce = try? ChaChaPoly.Nonce.zero,
            let box = try? ChaChaPoly.SealedBox(nonce: nonce, ciphertext: body.prefix(byteCount), tag: body.suffix(16)),
            var bytes = try? ChaChaPoly.open(box, using: wrapKey)
        else { return nil }
        return FileKey(wiping: &bytes)
    }
}

extension ChaChaPoly.Nonce {
    static var zero: Self {
        get throws { try Self(data: [UInt8](repeating: 0, count: 12)) }
    }
}
