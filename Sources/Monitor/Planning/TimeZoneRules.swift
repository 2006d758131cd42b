import FoundationEssentials

/// UTC offsets of a time zone, read from the system's tz database (RFC 9636). The file is read at each start of the
/// program, because laws change.
package struct TimeZoneRules: Sendable {
    /// Transitions: Unix seconds, and the new offset in seconds east of UTC.
    private var changes: [(at: Int64, offset: Int64)] = []
    /// Offset before the first transition.
    private var first: Int64 = 0
    /// Rule after the last transition; nil when the offset no longer changes.
    private var rest: POSIXTimeZoneRule?

    package static let utc = TimeZoneRules()

    private init() {}

    /// The file is not in TZif format, or is truncated.
    package struct Unreadable: Error, Equatable, Sendable {}

    /// Parses a TZif file of version 1 to 4 (RFC 9636 section 3).
    ///
    /// - Throws: `Unreadable`.
    package init(file: [UInt8]) throws(Unreadable) {
        var reader = TZifReader(bytes: file)
        var header = try reader.header()
        var width = 4
        if header.version >= 2 {
            // The version 1 block ends in 2038 and is for old readers.
            try reader.skip(header.length(of: 4))
            header = try reader.header()
            width = 8
        }
        let times = try (0..<header.times).map { _ throws(Unreadable) in try reader.integer(width) }
        let kinds = try (0..<header.times).map { _ throws(Unreadable) in Int(try reader.byte()) }
        var offsets: [Int64] = []
        for _ in 0..<header.kinds {
            offsets.append(try reader.integer(4))
            try reader.skip(2)
        }
        guard let earliest = offsets.first, kinds.allSatisfy(offsets.indices.contains),
            zip(times, times.dropFirst()).allSatisfy({ $0 < $1 }),
            offsets.allSatisfy({ $0.magnitude < 26 * 3_600 })
        else { throw Unreadable() }
        first = earliest
        changes = zip(times, kinds).map { ($0, offsets[$1]) }
        guard width == 8 else { return }
        try reader.skip(header.characters + header.leaps * 12 + header.standards + header.universals)
        let footer = try reader.footer()
        guard !footer.isEmpty else { return }
        guard let rule = POSIXTimeZoneRule(footer) else { throw Unreadable() }
        rest = rule
    }

    /// Returns seconds east of UTC.
    ///
    /// `time`: Unix seconds.
    package func offset(at time: Int64) -> Int64 {
        guard let last = changes.last else { return rest?.offset(at: time) ?? first }
        if time >= last.at { return rest?.offset(at: time) ?? last.offset }
        // Binary search for the first later transition.
        var (low, high) = (0, changes.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if changes[middle].at > time { high = middle } else { low = middle + 1 }
        }
        return low == 0 ? first : changes[low - 1].offset
    }

    /// Converts a local time to Unix seconds. Of two matching times it returns the first; a time within a gap is moved
    /// forward by the gap's length (RFC 5545 section 3.3.5).
    ///
    /// `local`: Seconds, interpreted as UTC.
    package func time(ofLocal local: Int64) -> Int64 {
        let (before, after) = (offset(at: local - 86_400), offset(at: local + 86_400))
        for offset in [before, after] where self.offset(at: local - offset) == offset { return local - offset }
        return local - before
    }
}

/// Reads a TZif file. Integers are big-endian.
private struct TZifReader {
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
