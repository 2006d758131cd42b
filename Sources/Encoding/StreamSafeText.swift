/// Rejects text with long runs of combining marks.
///
/// Comparing Swift strings normalizes them, and a run of marks takes quadratic time to normalize. Client input is checked
/// before anything compares it.
package enum StreamSafeText {
    /// Maximum number of consecutive combining marks, which no text of any language exceeds (UAX #15, section 13, Stream-Safe Text Format).
    package static let marks = 30

    package static func check(_ text: String) -> Bool {
        // The UTF-8 encoding of the first combining mark, U+0300, begins with this byte.
        guard text.utf8.contains(where: { $0 >= 0xcc }) else { return true }
        var marks = 0
        for scalar in text.unicodeScalars {
            marks = scalar.properties.canonicalCombiningClass == .notReordered ? 0 : marks + 1
            guard marks <= Self.marks else { return false }
        }
        return true
    }

    package static func check(_ text: [UInt8]) -> Bool {
        !text.contains { $0 >= 0xcc } || check(String(decoding: text, as: UTF8.self))
    }

    /// Checks a path with its query after percent-decoding.
    package static func check(target: String) -> Bool {
        guard target.utf8.contains(UInt8(ascii: "%")) else { return check(target) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(target.utf8.count)
        var rest = Array(target.utf8)[...]
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
