import Crypto

/// Encrypts and decrypts the chunks of a payload in order (specification, "Payload"; the STREAM construction).
///
/// The nonce contains the chunk number and a last-chunk flag, so chunks cannot be reordered, dropped or appended.
struct PayloadCipher {
    /// Bytes of plaintext in every chunk except the last.
    static let chunkByteCount = 65_536
    static let tagByteCount = 16
    static let sealedByteCount = chunkByteCount + tagByteCount
    static let nonceByteCount = 16

    private let key: SymmetricKey
    /// Counts chunks from 0. Uses 64 of the nonce's 88 bits: 2^64 chunks are more than any disk has.
    private var index: UInt64 = 0

    /// - Parameters:
    ///   - fileKey: From the header.
    ///   - nonce: The 16 bytes before the first chunk, random for each file.
    init(fileKey: FileKey, nonce: [UInt8]) {
        key = fileKey.payloadKey(nonce: nonce)
    }

    mutating func seal(_ chunk: [UInt8], isLast: Bool) -> [UInt8] {
        guard let nonce = try? nonce(isLast: isLast), let box = try? ChaChaPoly.seal(chunk, using: key, nonce: nonce)
        else { preconditionFailure("ChaCha20-Poly1305 seals 64 KiB under a 32-byte key") }
        index += 1
        return Array(box.ciphertext) + Array(box.tag)
    }

    /// - Parameters:
    ///   - sealed: The next chunk with its tag.
    ///   - isLast: Whether the file ends after this chunk.
    /// - Returns: The plaintext, at most 64 KiB.
    /// - Throws: `truncated` or `trailingData` if the chunk is authentic but its last-chunk flag differs from `isLast`;
    ///   `emptyLastChunk`; otherwise `payloadAltered`.
    mutating func open(_ sealed: [UInt8], isLast: Bool) throws(AgeError) -> [UInt8] {
        guard sealed.count >= Self.tagByteCount else { throw .truncated }
        guard let chunk = opened(sealed, isLast: isLast) else {
            if opened(sealed, isLast: !isLast) != nil { throw isLast ? .truncated : .trailingData }
            throw .payloadAltered(chunk: index)
        }
        if chunk.isEmpty, index > 0 { throw .emptyLastChunk }
        index += 1
        return chunk
    }

    private func opened(_ sealed: [UInt8], isLast: Bool) -> [UInt8]? {
        guard let nonce = try? nonce(isLast: isLast),
            let box = try? ChaChaPoly.SealedBox(
                nonce: nonce,
                ciphertext: sealed.dropLast(Self.tagByteCount),
                tag: sealed.suffix(Self.tagByteCount)
            ),
            let chunk = try? ChaChaPoly.open(box, using: key)
        else { return nil }
        return Array(chunk)
    }

    /// An 11-byte big-endian counter and the flag.
    private func nonce(isLast: Bool) throws -> ChaChaPoly.Nonce {
        let counter = (0..<8).map { UInt8(truncatingIfNeeded: index >> UInt64(56 - 8 * $0)) }
        return try ChaChaPoly.Nonce(data: [0, 0, 0] + counter + [isLast ? 1 : 0])
    }
}
