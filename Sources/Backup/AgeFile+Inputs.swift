package import Files

/// Encryption and decryption of open files of any size, and of small secrets in memory.
extension AgeFile {
    /// Encrypts from the current position of `source` to its end. Blocks: call it outside the cooperative pool.
    package static func encrypt(
        _ source: borrowing OpenFile,
        into destination: borrowing OpenFile,
        to recipients: [AgeRecipient]
    ) throws(AgeError) {
        try encrypt(
            to: recipients,
            read: { count throws(AgeError) in try source.readForAge(count) },
            write: { bytes throws(AgeError) in try destination.writeForAge(bytes) }
        )
    }

    /// Decrypts from the current position of `source` to its end. Blocks: call it outside the cooperative pool.
    ///
    /// Discard the content of `destination` if this throws.
    package static func decrypt(
        _ source: borrowing OpenFile,
        into destination: borrowing OpenFile,
        with identities: [AgeIdentity]
    ) throws(AgeError) {
        try decrypt(
            with: identities,
            read: { count throws(AgeError) in try source.readForAge(count) },
            write: { bytes throws(AgeError) in try destination.writeForAge(bytes) }
        )
    }

    /// Encrypts a small secret. The result is about 200 bytes longer for each recipient.
    package static func encrypt(_ plaintext: [UInt8], to recipients: [AgeRecipient]) throws(AgeError) -> [UInt8] {
        var rest = plaintext[...]
        var output: [UInt8] = []
        try encrypt(
            to: recipients,
            read: { count throws(AgeError) in rest.take(count) },
            write: { bytes throws(AgeError) in output += bytes }
        )
        return output
    }

    /// Decrypts a small secret completely, or throws.
    package static func decrypt(_ file: [UInt8], with identities: [AgeIdentity]) throws(AgeError) -> [UInt8] {
        var rest = file[...]
        var output: [UInt8] = []
        try decrypt(
            with: identities,
            read: { count throws(AgeError) in rest.take(count) },
            write: { bytes throws(AgeError) in output += bytes }
        )
        return output
    }
}

extension OpenFile {
    func readForAge(_ count: Int) throws(AgeError) -> [UInt8] {
        do { return try read(count) } catch { throw .system(error) }
    }

    func writeForAge(_ bytes: [UInt8]) throws(AgeError) {
        do { try write(bytes) } catch { throw .system(error) }
    }
}

extension ArraySlice<UInt8> {
    fileprivate mutating func take(_ count: Int) -> [UInt8] {
        defer { self = dropFirst(count) }
        return Array(prefix(count))
    }
}
