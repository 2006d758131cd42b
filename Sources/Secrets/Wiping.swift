package import Crypto
package import FoundationEssentials
import Glibc

/// Overwrites the bytes in a way that the optimiser cannot remove, and empties the array.
///
/// Wipes the array's storage only if it is uniquely referenced; copies elsewhere are not wiped.
package func wipe(_ bytes: inout [UInt8]) {
    unsafe bytes.withUnsafeMutableBytes { buffer in
        if let address = buffer.baseAddress { unsafe explicit_bzero(address, buffer.count) }
    }
    bytes.removeAll()
}

/// Overwrites the bytes of `data` in the same way, under the same condition.
package func wipe(_ data: inout Data) {
    unsafe data.withUnsafeMutableBytes { buffer in
        if let address = buffer.baseAddress { unsafe explicit_bzero(address, buffer.count) }
    }
}

extension SymmetricKey {
    /// Copies a decrypted key and wipes its buffer.
    package init(wiping data: inout Data) {
        self.init(data: data)
        wipe(&data)
    }
}
