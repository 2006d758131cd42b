import Crypto

/// Encrypts and decrypts age v1 files (age-encryption.org/v1, binary form).
///
/// Works chunk by chunk: memory is a few times 64 KiB, whatever the size of the file.
package enum AgeFile {
    /// Returns the next `count` bytes of the input; fewer only at its end.
    package typealias Read = (_ count: Int) throws(AgeError) -> [UInt8]
    /// Writes all of `bytes`, in order.
    package typealias Write = (_ bytes: [UInt8]) throws(AgeError) -> Void

    /// Encrypts so that each recipient alone can decrypt.
    ///
    /// - Throws: `noRecipients`, `tooManyRecipients` (more than about 600), or errors of `read` and `write`.
    package static func encrypt(
        to recipients: [AgeRecipient],
        read: Read,
        write: Write
    ) throws(AgeError) {
        guard !recipients.isEmpty else { throw .noRecipients }
        let fileKey = FileKey()
        var stanzas: [AgeStanza] = []
        for recipient in recipients {
            stanzas.append(try recipient.wrap(fileKey))
        }
        let header = AgeHeader(stanzas: stanzas, fileKey: fileKey).serialized
        guard header.count <= AgeHeader.maximumByteCount else { throw .tooManyRecipients }
        let nonce = randomBytes(PayloadCipher.nonceByteCount)
        try write(header + nonce)

        var cipher = PayloadCipher(fileKey: fileKey, nonce: nonce)
        try forEachChunk(of: PayloadCipher.chunkByteCount, read: read) { chunk, isLast throws(AgeError) in
            try write(cipher.seal(chunk, isLast: isLast))
        }
    }

    /// Decrypts with the first matching identity.
    ///
    /// **Discard the output if this throws.** Each chunk is authentic when it is written, but only the last one proves
    /// that the file is complete.
    ///
    /// - Throws: `AgeError`. Only authentic bytes are written in any case.
    package static func decrypt(
        with identities: [AgeIdentity],
        read: Read,
        write: Write
    ) throws(AgeError) {
        guard !identities.isEmpty else { throw .noIdentities }
        var ahead = try read(AgeHeader.maximumByteCount)
        let (header, payload) = try AgeHeader.parse(ahead)
        ahead.removeFirst(payload)
        let fileKey = try unwrap(header, with: identities)

        func take(_ count: Int) throws(AgeError) -> [UInt8] {
            if ahead.count < count { ahead += try read(count - ahead.count) }
            let taken = Array(ahead.prefix(count))
            ahead.removeFirst(taken.count)
            return taken
        }
        let nonce = try take(PayloadCipher.nonceByteCount)
        guard nonce.count == PayloadCipher.nonceByteCount else { throw .truncated }
        var cipher = PayloadCipher(fileKey: fileKey, nonce: nonce)
        try forEachChunk(of: PayloadCipher.sealedByteCount, read: take) { sealed, isLast throws(AgeError) in
            let chunk = try cipher.open(sealed, isLast: isLast)
            if !chunk.isEmpty { try write(chunk) }
        }
    }

    private static func unwrap(_ header: AgeHeader, with identities: [AgeIdentity]) throws(AgeError) -> FileKey {
        for identity in identities {
            guard let fileKey = try identity.unwrap(header.stanzas) else { continue }
            guard header.isAuthentic(fileKey: fileKey) else { throw .headerAltered }
            return fileKey
        }
        throw .wrongIdentity
    }

    /// Reads one chunk ahead to detect the last one. Calls `body` at least once.
    private static func forEachChunk(
        of size: Int,
        read: Read,
        body: (_ chunk: [UInt8], _ isLast: Bool) throws(AgeError) -> Void
    ) throws(AgeError) {
        var chunk = try read(size)
        while true {
            let next = chunk.count < size ? [] : try read(size)
            try body(chunk, next.isEmpty)
            if next.isEmpty { return }
            chunk = next
        }
    }

    private static func randomBytes(_ count: Int) -> [UInt8] {
        // The system generator is getrandom(2), as in swift-crypto.
        (0..<count).map { _ in UInt8.random(in: 0...255) }
    }
}
