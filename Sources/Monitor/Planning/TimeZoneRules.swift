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
