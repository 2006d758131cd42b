/// Reads a TZif file. Integers are big-endian.
struct TZifReader {
    let bytes: [UInt8]
    private var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    struct Header {
        let version: Int
        let universals, standards, leaps, times, kinds, characters: Int

        /// Length of the data block for a given width of times, in bytes.
        func length(of width: Int) -> Int {
            times * (width + 1) + kinds * 6 + characters + leaps * (width + 4) + standards + universals
        }
    }

    mutating func header() throws(TimeZoneRules.Unreadable) -> Header {
        guard bytes.dropFirst(position).starts(with: "TZif".utf8) else { throw .init() }
        try skip(4)
        let version = Int(try byte())
        try skip(15)
        var counts: [Int] = []
        for _ in 0..<6 {
            let count = try integer(4)
            // A limit above any real file, which prevents overflow.
            guard (0...100_000).contains(count) else { throw .init() }
            counts.append(Int(count))
        }
        return Header(
            version: version == 0 ? 1 : version - 0x30, universals: counts[0], standards: counts[1], leaps: counts[2],
            times: counts[3], kinds: counts[4], characters: counts[5])
    }

    mutating func skip(_ count: Int) throws(TimeZoneRules.Unreadable) {
        guard bytes.count - position >= count else { throw .init() }
        position += count
    }

    mutating func byte() throws(TimeZoneRules.Unreadable) -> UInt8 {
        try skip(1)
        return bytes[position - 1]
    }

    mutating func integer(_ width: Int) throws(TimeZoneRules.Unreadable) -> Int64 {
        try skip(width)
        let value = bytes[(position - width)..<position].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return width == 4 ? Int64(Int32(truncatingIfNeeded: value)) : Int64(bitPattern: value)
    }

    /// Reads the footer between two newlines.
    mutating func footer() throws(TimeZoneRules.Unreadable) -> Substring {
        let rest = bytes.dropFirst(position)
        guard rest.first == 0x0A, let end = rest.dropFirst().firstIndex(of: 0x0A) else { throw .init() }
        return Substring(String(decoding: rest.dropFirst()[..<end], as: UTF8.self))
    }
}
