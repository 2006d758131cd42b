package import Crypto
import FoundationEssentials

/// A key's bytes as a collection, read from the key's self-wiping storage instead of copied out of it.
@safe
package struct KeyBytes: RandomAccessCollection, ContiguousBytes, DataProtocol, Sendable {
    private let key: SymmetricKey

    fileprivate init(_ key: SymmetricKey) {
        self.key = key
    }

    package var startIndex: Int { 0 }
    package var endIndex: Int { key.bitCount / 8 }
    package var regions: CollectionOfOne<KeyBytes> { CollectionOfOne(self) }

    package subscript(position: Int) -> UInt8 {
        unsafe key.withUnsafeBytes { unsafe $0[position] }
    }

    package func withUnsafeBytes<Result>(
        _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        try unsafe key.withUnsafeBytes(body)
    }

    package func withContiguousStorageIfAvailable<Result>(
        _ body: (UnsafeBufferPointer<UInt8>) throws -> Result
    ) rethrows -> Result? {
        try unsafe key.withUnsafeBytes { bytes in unsafe try body(bytes.assumingMemoryBound(to: UInt8.self)) }
    }
}

extension SymmetricKey {
    /// The key's bytes, to encrypt or encode them.
    package var bytes: KeyBytes { KeyBytes(self) }

    package init(_ secret: borrowing SecretBytes) {
        self = secret.withBytes { bytes in unsafe bytes.withUnsafeBytes { unsafe SymmetricKey(data: $0) } }
    }

    /// A part of derived bytes, as a key.
    package func key(at range: Range<Int>) -> SymmetricKey {
        unsafe withUnsafeBytes { unsafe SymmetricKey(data: UnsafeRawBufferPointer(rebasing: $0[range])) }
    }

    /// A part of derived bytes that is not secret, such as a commitment or a verifier.
    package func publicBytes(at range: Range<Int>) -> [UInt8] {
        unsafe withUnsafeBytes { unsafe Array($0[range]) }
    }
}
