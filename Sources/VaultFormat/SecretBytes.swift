package import Crypto

extension SymmetricKey {
    /// The key's bytes, for the few places that put a key inside a box or take two keys from one.
    ///
    /// This file is the one of the module that touches raw memory.
    package var bytes: [UInt8] { unsafe withUnsafeBytes { unsafe Array($0) } }
}
