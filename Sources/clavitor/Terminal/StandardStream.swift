import Glibc

/// Bytes in and out of descriptors, unbuffered: what is printed and what a child prints keep their order.
enum StandardStream {
    /// Writes all of it. False when nobody reads any more, or the disk is full.
    @discardableResult
    static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    static func readAll(_ descriptor: Int32, named name: String, limit: Int = 16 << 20) throws(CommandFailure)
        -> [UInt8]
    {
        var bytes: [UInt8] = []
        while let chunk = read(descriptor, upTo: 65_536) {
            guard !chunk.isEmpty else { return bytes }
            bytes += chunk
            guard bytes.count <= limit else { throw CommandFailure(.failed, "\(name) is too large.") }
        }
        throw CommandFailure(.failed, "\(name) cannot be read.")
    }

    /// The next bytes; none at the end, nil on an error.
    static func read(_ descriptor: Int32, upTo most: Int) -> [UInt8]? {
        while true {
            var count = 0
            let bytes = unsafe [UInt8](unsafeUninitializedCapacity: most) { buffer, initialized in
                count = unsafe Glibc.read(descriptor, buffer.baseAddress, most)
                initialized = max(0, count)
            }
            if count < 0, errno == EINTR { continue }
            return count < 0 ? nil : bytes
        }
    }
}
