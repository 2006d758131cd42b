/// Fixed-width encoding of big-endian numbers in the digits 0–9, A–Z, a–z.
package enum Base62 {
    package static let checksumDigits = 6
    private static let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    package static func encode(_ bytes: some Collection<UInt8>, digits: Int) -> [UInt8] {
        [UInt8](capacity: digits) { encode(bytes, digits: digits, to: &$0) }
    }

    /// Appends the digits. The working copy of `bytes` is zero at the end if the digits suffice for the number.
    package static func encode(_ bytes: some Collection<UInt8>, digits: Int, to output: inout OutputSpan<UInt8>) {
        var number = Array(bytes)
        let first = output.count
        output.append(repeating: alphabet[0], count: digits)
        var text = output.mutableSpan
        for index in (first..<(first + digits)).reversed() {
            var remainder = 0
            for position in number.indices {
                let value = remainder << 8 | Int(number[position])
                number[position] = UInt8(value / 62)
                remainder = value % 62
            }
            text[index] = alphabet[remainder]
        }
    }

    /// Decodes a number of `output.freeCapacity` bytes. False for a character outside the alphabet or a number too large.
    package static func decode(_ text: some Collection<UInt8>, into output: inout OutputSpan<UInt8>) -> Bool {
        let first = output.count
        output.append(repeating: 0, count: output.freeCapacity)
        var number = output.mutableSpan
        for character in text {
            let digit: UInt8
            switch character {
            case 48...57: digit = character - 48
            case 65...90: digit = character - 55
            case 97...122: digit = character - 61
            default: return false
            }
            var carry = Int(digit)
            for position in (first..<number.count).reversed() {
                let value = Int(number[position]) * 62 + carry
                number[position] = UInt8(truncatingIfNeeded: value)
                carry = value >> 8
            }
            guard carry == 0 else { return false }
        }
        return true
    }

    /// Computes the digits of a CRC-32 (IEEE 802.3) over the bytes. Detects typos; it is not a secret.
    package static func checksum(of bytes: some Collection<UInt8>) -> [UInt8] {
        digits(of: bytes.reduce(~UInt32(0), remainder))
    }

    package static func checksum(of bytes: Span<UInt8>) -> [UInt8] {
        digits(of: bytes.indices.reduce(~UInt32(0)) { crc, index in remainder(crc, bytes[index]) })
    }

    private static func remainder(_ crc: UInt32, _ byte: UInt8) -> UInt32 {
        (0..<8).reduce(crc ^ UInt32(byte)) { crc, _ in crc >> 1 ^ (crc & 1 == 1 ? 0xedb8_8320 : 0) }
    }

    private static func digits(of remainder: UInt32) -> [UInt8] {
        encode((~remainder).bigEndianBytes, digits: checksumDigits)
    }
}
