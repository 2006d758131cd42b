/// Masks secrets in a byte stream, even if one is split between two reads.
///
/// Masks every occurrence, including overlapping ones, with one mark per contiguous range. Buffers only a possible beginning of a
/// secret, so that a prompt without a line end still appears.
struct SecretMask {
    static let mark = Array("•••".utf8)
    /// Shorter secrets would mask much ordinary output, and thereby reveal themselves.
    static let least = 4

    private let patterns: [UInt8: [[UInt8]]]
    private var held: [UInt8] = []
    /// The number of buffered bytes known to belong to a secret.
    private var covered = 0
    private var isInSecret = false

    init(secrets: [String]) {
        var all: Set<[UInt8]> = []
        for secret in secrets {
            for form in Self.forms(of: secret) where form.count >= Self.least { all.insert(form) }
        }
        patterns = Dictionary(grouping: all) { $0[0] }
    }

    /// Adds bytes. Returns the output that is final.
    mutating func pass(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        held += bytes
        return show(upTo: scan())
    }

    /// Returns the remaining output at the end of the stream.
    mutating func finish() -> [UInt8] {
        _ = scan()
        return show(upTo: held.count)
    }

    /// Marks the ranges of secrets.
    ///
    /// - Returns: The first position at which an incomplete secret may begin.
    private mutating func scan() -> Int {
        var undecided = held.count
        for start in held.indices {
            for pattern in patterns[held[start]] ?? [] {
                let rest = held[start...]
                if rest.count >= pattern.count {
                    if rest.starts(with: pattern) { cover(start..<(start + pattern.count)) }
                } else if start < undecided, pattern.starts(with: rest) {
                    undecided = start
                }
            }
        }
        return undecided
    }

    private var ranges: [Range<Int>] = []

    private mutating func cover(_ range: Range<Int>) {
        if let last = ranges.last, last.upperBound >= range.lowerBound {
            ranges[ranges.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
        } else {
            ranges.append(range)
        }
    }

    private mutating func show(upTo end: Int) -> [UInt8] {
        var shown: [UInt8] = []
        if covered > 0 { ranges.insert(0..<covered, at: 0) }
        var index = 0
        for range in ranges + [held.count..<held.count] {
            let clear = max(index, min(range.lowerBound, end))
            if clear > index {
                shown += held[index..<clear]
                isInSecret = false
                index = clear
            }
            let masked = max(index, min(range.upperBound, end))
            if masked > index {
                if !isInSecret { shown += Self.mark }
                isInSecret = true
                index = masked
            }
        }
        covered = max(0, (ranges.filter { $0.lowerBound <= end }.map(\.upperBound).max() ?? 0) - end)
        ranges = []
        held.removeFirst(end)
        return shown
    }

    private static func forms(of secret: String) -> [[UInt8]] {
        guard secret.utf8.count >= least else { return [] }
        return SecretEncodings.all(of: secret).filter { !$0.isEmpty }
    }
}
