/// Fixed-width encoding of big-endian numbers in the digits 0–9, A–Z, a–z.
package enum Base62 {
    package static let checksumDigits = 6
    private static let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    package static func encode(_ bytes: [UInt8], digits: Int) -> [UInt8] {
        var number = bytes
        var text = [UInt8](repeating: alphabet[0], count: digits)
        for index in text.indices.reversed() {
            var remainder = 0
            for position in number.indices {
                let value = remainder << 8 | Int(number[position])
                number[position] = UInt8(value / 62)
                remainder = value % 62
            }
            text[index] = alphabet[remainder]
        }
        return text
    }

    /// Nil for a character outside the alphabet or a number too large for `count` bytes.
    package static func decode(_ text: some Collection<UInt8>, count: Int) -> [UInt8]? {
        var number = [UInt8](repeating: 0, count: count)
        for character in text {
            let digit: UInt8
            switch character {
            case 48...57: digit = character - 48
            case 65...90: digit = character - 55
            case 97...122: digit = character - 61
            default: return nil
            }
            var carry = Int(digit)
            for position in number.indices.reversed() {
                let value = Int(number[position]) * 62 + carry
                number[position] = UInt8(truncatingIfNeeded: value)
                carry = value >> 8
            }
            guard carry == 0 else { return nil }
        }
        return number
    }

    /// Computes the digits of a CRC-32 (IEEE 802.3) over the bytes. Detects typos; it is not a secret.
    package static func checksum(of bytes: some Collection<UInt8>) -> [UInt8] {
        let remainder = bytes.reduce(~UInt32(0)) { crc, byte in
            (0..<8).reduce(crc ^ UInt32(byte)) { crc, _ in crc >> 1 ^ (crc & 1 == 1 ? 0xedb8_8320 : 0) }
        }
        return encode((~remainder).bigEndianBytes, digits: checksumDigits)
    }
}
