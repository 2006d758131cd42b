import Glibc

/// Unbuffered I/O on descriptors, so that the output of this program and its child keeps its order.
enum StandardStream {
    /// Writes all bytes. Returns false if the reader has gone or the disk is full.
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

    /// Returns the next bytes; empty at the end, nil on an error.
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
