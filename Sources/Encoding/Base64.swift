/// Standard base64 (RFC 4648 section 4).
package enum Base64 {
    private static let codec = Base64Codec(lastTwo: "+/")

    /// With padding.
    package static func encode(_ bytes: some Collection<UInt8>) -> String {
        let text = codec.encode(bytes)
        return String(decoding: text, as: UTF8.self) + String(repeating: "=", count: (4 - text.count % 4) % 4)
    }

    /// Without padding.
    package static func encodeUnpadded(_ bytes: some Collection<UInt8>) -> [UInt8] { codec.encode(bytes) }

    /// Decodes text without padding. Nil for padding, foreign characters, an impossible length, or bits set that encode
    /// nothing: one value has one text.
    package static func decodeUnpadded(_ text: some Collection<UInt8>) -> [UInt8]? { codec.decode(text) }
}

/// Base64 for URLs without padding (RFC 4648 section 5), the one text form of bytes in the API.
package enum Base64URL {
    private static let codec = Base64Codec(lastTwo: "-_")

    package static func encode(_ bytes: some Collection<UInt8>) -> String { encode(Array(bytes)) }

    package static func encode(_ bytes: [UInt8]) -> String { String(decoding: codec.encode(bytes), as: UTF8.self) }

    /// Nil for padding, foreign characters, an impossible length, or bits set that encode nothing: one value has one text.
    package static func decode(_ text: some StringProtocol) -> [UInt8]? { decode(String(text)) }

    package static func decode(_ text: String) -> [UInt8]? { codec.decode(text.utf8) }

    /// Decodes text of `output.freeCapacity` bytes. False under the same conditions, and for another length.
    package static func decode(_ text: some StringProtocol, into output: inout OutputSpan<UInt8>) -> Bool {
        text.utf8.count == (output.freeCapacity * 4 + 2) / 3 && codec.decode(text.utf8, into: &output)
    }
}

/// Base64 over one alphabet, without padding.
private struct Base64Codec: Sendable {
    private let alphabet: [UInt8]
    /// The value of each character, 0xff for foreign ones.
    private let values: [UInt8]

    init(lastTwo: String) {
        alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789\(lastTwo)".utf8)
        var values = [UInt8](repeating: 0xff, count: 256)
        for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(value) }
        self.values = values
    }

    func encode(_ bytes: some Collection<UInt8>) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count * 4 + 2) / 3)
        var buffer: UInt32 = 0
        var bits = 0
        for byte in bytes {
            buffer = buffer << 8 | UInt32(byte)
            bits += 8
            while bits >= 6 {
                bits -= 6
                text.append(alphabet[Int(buffer >> UInt32(bits) & 63)])
            }
        }
        if bits > 0 { text.append(alphabet[Int(buffer << UInt32(6 - bits) & 63)]) }
        return text
    }

    func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        var isValid = false
        let bytes = [UInt8](capacity: text.count * 3 / 4) { isValid = decode(text, into: &$0) }
        return isValid ? bytes : nil
    }

    func decode(_ text: some Collection<UInt8>, into bytes: inout OutputSpan<UInt8>) -> Bool {
        var buffer: UInt32 = 0
        var bits = 0
        for character in text {
            let value = values[Int(character)]
            guard value != 0xff else { return false }
            buffer = buffer << 6 | UInt32(value)
            bits += 6
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: buffer >> UInt32(bits)))
            }
        }
        return bits < 6 && buffer & ((1 << UInt32(bits)) - 1) == 0
    }
}
