import Encoding

/// Hides the length of what a secret box holds, up to a step (docs/FORMAT.md, "Plaintexts"): the length in 4 bytes, the content, and zeros.
package enum PaddedPlaintext {
    private static let header = 4

    package static func encode(_ content: [UInt8]) -> [UInt8] {
        var bytes = UInt32(content.count).bigEndianBytes + content
        bytes += [UInt8](repeating: 0, count: step(bytes.count) - bytes.count)
        return bytes
    }

    /// Nil for another length than the content's step, or for padding that is not zeros.
    package static func decode(_ bytes: [UInt8]) -> [UInt8]? {
        guard bytes.count >= header else { return nil }
        let count = bytes.prefix(header).reduce(0) { $0 << 8 | Int($1) }
        guard count <= bytes.count - header, step(header + count) == bytes.count,
            bytes[(header + count)...].allSatisfy({ $0 == 0 })
        else { return nil }
        return Array(bytes[header..<(header + count)])
    }

    /// The smallest step that is not less: 32, 64 and so on to 256, then each a quarter more, rounded up to a multiple of 32.
    package static func step(_ count: Int) -> Int {
        guard count > 256 else { return max(32, (count + 31) / 32 * 32) }
        var step = 256
        while step < count { step = (step * 5 + 127) / 128 * 32 }
        return step
    }
}
