import Crypto
import Vault

/// Thirty-two bytes on paper that open the account when the password is lost.
///
/// As text `clv_kit_`, 43 digits of base 62 and six of the CRC-32 over all before them: a typo is told from a kit
/// that is not the account's.
struct RecoveryKit: Sendable {
    let secret: SymmetricKey

    private static let prefix = Array("clv_kit_".utf8)
    private static let digits = 43
    private static let checksumDigits = 6
    private static let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    init(secret: SymmetricKey = SymmetricKey(size: .bits256)) {
        self.secret = secret
    }

    /// Reads what `text` gives; spaces and line breaks around and within it are what people type. Nil for a typo.
    init?(_ text: some StringProtocol) {
        let characters = text.utf8.filter { !" \t\r\n".utf8.contains($0) }
        guard characters.count == Self.prefix.count + Self.digits + Self.checksumDigits,
            characters.starts(with: Self.prefix)
        else { return nil }
        let body = characters.dropLast(Self.checksumDigits)
        guard Self.encode(Self.crc32(body), digits: Self.checksumDigits) == characters.suffix(Self.checksumDigits),
            let bytes = Self.decode(body.dropFirst(Self.prefix.count))
        else { return nil }
        secret = SymmetricKey(data: bytes)
    }

    var text: String {
        let body = Self.prefix + Self.encode(secret.bytes, digits: Self.digits)
        return String(decoding: body + Self.encode(Self.crc32(body[...]), digits: Self.checksumDigits), as: UTF8.self)
    }

    /// CRC-32 as in IEEE 802.3, big-endian.
    private static func crc32(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        let remainder = bytes.reduce(~UInt32(0)) { crc, byte in
            (0..<8).reduce(crc ^ UInt32(byte)) { crc, _ in crc >> 1 ^ (crc & 1 == 1 ? 0xedb8_8320 : 0) }
        }
        return (~remainder).bigEndianBytes
    }

    /// A big-endian number in base 62, by repeated long division.
    private static func encode(_ bytes: [UInt8], digits: Int) -> [UInt8] {
        var number = bytes
        var text: [UInt8] = []
        for _ in 0..<digits {
            var remainder = 0
            for index in number.indices {
                let value = remainder << 8 | Int(number[index])
                number[index] = UInt8(value / 62)
                remainder = value % 62
            }
            text.append(alphabet[remainder])
        }
        return text.reversed()
    }

    /// Nil for a foreign character or a number that 32 bytes do not hold.
    private static func decode(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var number = [UInt8](repeating: 0, count: 32)
        for character in text {
            guard var carry = alphabet.firstIndex(of: character) else { return nil }
            for index in number.indices.reversed() {
                let value = Int(number[index]) * 62 + carry
                number[index] = UInt8(truncatingIfNeeded: value)
                carry = value >> 8
            }
            guard carry == 0 else { return nil }
        }
        return number
    }
}
