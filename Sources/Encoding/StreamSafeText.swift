/// Rejects text with long runs of combining marks.
///
/// Comparing Swift strings normalizes them, and a run of marks takes quadratic time to normalize. Client input is checked
/// before anything compares it.
package enum StreamSafeText {
    /// Maximum number of consecutive combining marks, which no text of any language exceeds (UAX #15, section 13, Stream-Safe Text Format).
    package static let marks = 30

    package static func check(_ text: some Collection<UInt8>) -> Bool {
        // The UTF-8 encoding of the first combining mark, U+0300, begins with this byte.
        guard text.contains(where: { $0 >= 0xcc }) else { return true }
        var marks = 0
        for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
            marks = scalar.properties.canonicalCombiningClass == .notReordered ? 0 : marks + 1
            guard marks <= Self.marks else { return false }
        }
        return true
    }

    /// Checks a path with its query after percent-decoding.
    package static func check(target: some Collection<UInt8>) -> Bool {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(target.count)
        var rest = target[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let high = rest.first.flatMap(digit),
                let low = rest.dropFirst().first.flatMap(digit)
            {
                bytes.append(high << 4 | low)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return check(bytes)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        Character(Unicode.Scalar(byte)).hexDigitValue.map(UInt8.init)
    }
}
