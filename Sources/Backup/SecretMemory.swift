import Crypto
import Glibc

/// Overwrites the bytes in a way that the optimiser cannot remove, and empties the array.
///
/// Wipes the array's storage only if it is uniquely referenced; copies elsewhere are not wiped.
func wipe(_ bytes: inout [UInt8]) {
    unsafe bytes.withUnsafeMutableBytes { buffer in
        if let address = buffer.baseAddress { unsafe explicit_bzero(address, buffer.count) }
    }
    bytes.removeAll()
}

extension ChaChaPoly {
    /// Seals a key without copying its bytes out of their self-wiping storage.
    static func seal(_ secret: SymmetricKey, using key: SymmetricKey, nonce: Nonce) throws -> SealedBox {
        try unsafe secret.withUnsafeBytes { bytes in
            try unsafe seal(bytes, using: key, nonce: nonce)
        }
    }
}
