import Crypto
import Glibc

/// Overwrites the bytes in a way the optimiser cannot drop, and empties the array.
///
/// Wipes the array's own storage only when nobody else holds it; a copy made elsewhere stays where it is.
func wipe(_ bytes: inout [UInt8]) {
    unsafe bytes.withUnsafeMutableBytes { buffer in
        if let address = buffer.baseAddress { unsafe explicit_bzero(address, buffer.count) }
    }
    bytes.removeAll()
}

extension ChaChaPoly {
    /// Seals a key without ever copying its bytes out of the storage that wipes itself.
    static func seal(_ secret: SymmetricKey, using key: SymmetricKey, nonce: Nonce) throws -> SealedBox {
        try unsafe secret.withUnsafeBytes { bytes in
            try unsafe seal(bytes, using: key, nonce: nonce)
        }
    }
}
