import CZlib

/// gzip (RFC 1952) of the system's zlib.
enum Gzip {
    /// The compressed bytes; nil when they are not shorter.
    static func compress(_ bytes: [UInt8]) -> [UInt8]? {
        guard bytes.count > 1 else { return nil }
        let compressed = unsafe [UInt8](unsafeUninitializedCapacity: bytes.count - 1) { buffer, count in
            count = unsafe bytes.withUnsafeBufferPointer { input in
                unsafe clavitor_gzip(input.baseAddress, input.count, buffer.baseAddress, buffer.count)
            }
        }
        return compressed.isEmpty ? nil : compressed
    }
}
