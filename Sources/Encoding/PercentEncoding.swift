/// Percent-encoding (RFC 3986 section 2.1).
package enum PercentEncoding {
    private static let upperCaseDigits = Array("0123456789ABCDEF".utf8)
    private static let lowerCaseDigits = Array("0123456789abcdef".utf8)

    /// Encodes everything but unreserved characters (RFC 3986 section 2.3).
    ///
    /// `spaceAsPlus`: As in HTML forms.
    /// `sparing`: Further bytes that stay as they are.
    package static func encode(
        _ text: some StringProtocol, upperCase: Bool = true, spaceAsPlus: Bool = false, sparing: [UInt8] = []
    ) -> String {
        let digits = upperCase ? upperCaseDigits : lowerCaseDigits
        var encoded: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                encoded.append(byte)
            case _ where sparing.contains(byte):
                encoded.append(byte)
            case UInt8(ascii: " ") where spaceAsPlus:
                encoded.append(UInt8(ascii: "+"))
            default:
                encoded += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    /// Nil for a `%` without two hexadecimal digits behind it.
    package static func decode(_ text: some StringProtocol) -> [UInt8]? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = rest.prefix(2).compactMap(Hexadecimal.value)
            guard digits.count == 2 else { return nil }
            bytes.append(digits[0] << 4 | digits[1])
            rest = rest.dropFirst(2)
        }
        return bytes
    }
}
