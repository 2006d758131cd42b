/// Parses a message from front to back. Never reads out of bounds, and its running time is linear in the message's size.
struct WireReader {
    private let message: [UInt8]
    private(set) var position = 0

    init(_ message: [UInt8]) {
        self.message = message
    }

    var isAtEnd: Bool { position == message.count }

    mutating func bytes(_ count: Int) throws(DNSResponseError) -> [UInt8] {
        guard message.count - position >= count else { throw .truncated }
        defer { position += count }
        return Array(message[position..<(position + count)])
    }

    mutating func uint16() throws(DNSResponseError) -> UInt16 {
        try bytes(2).reduce(0) { $0 << 8 | UInt16($1) }
    }

    mutating func uint32() throws(DNSResponseError) -> UInt32 {
        try bytes(4).reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// Follows compression pointers (RFC 1035, section 4.1.4).
    ///
    /// Each pointer must point before the start of the current run of labels, so that loops are impossible.
    mutating func name() throws(DNSResponseError) -> DNSName {
        var labels: [[UInt8]] = []
        var byteCount = 1
        var jumps = 0
        var runStart = position
        var end: Int?
        while true {
            let length = try bytes(1)[0]
            switch length {
            case 0:
                position = end ?? position
                return DNSName(labels: labels)
            case 1...0x3f:
                byteCount += 1 + Int(length)
                guard byteCount <= DNSName.maximumByteCount else { throw .name }
                labels.append(try bytes(Int(length)))
            case 0xc0...0xff:
                let target = Int(length & 0x3f) << 8 | Int(try bytes(1)[0])
                jumps += 1
                // A name has at most 127 labels, so no valid name needs more jumps.
                guard target < runStart, jumps <= 127 else { throw .name }
                end = end ?? position
                runStart = target
                position = target
            default: throw .name
            }
        }
    }
}
