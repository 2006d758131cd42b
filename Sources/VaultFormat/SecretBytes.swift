package import Crypto

extension SymmetricKey {
    /// The key's bytes, for the few callers that encrypt a key or derive two keys from one.
    ///
    /// The only code of the module that accesses raw memory.
    package var bytes: [UInt8] { unsafe withUnsafeBytes { unsafe Array($0) } }
}
