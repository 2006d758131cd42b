package import Crypto

/// A credential as text: `clv_agt_` and the like, 32 bytes in base 62, six characters of CRC-32.
///
/// Letters and digits only, so that a double click takes all of it; prefix and checksum, so that secret scanners
/// find it and a typo is told from a revoked token without a look-up.
package struct Token: Sendable {
    package let kind: Kind
    package let secret: SymmetricKey

    package enum Kind: String, Sendable, CaseIterable {
        case session = "ses"
        case agent = "agt"
        /// Printed once, to recover an account.
        case recoveryKit = "kit"
        case invite = "inv"
        case rootKey = "root"
    }

    private static let digits = 43
    private static let checksumDigits = 6

    package init(_ kind: Kind, secret: SymmetricKey = SymmetricKey(size: .bits256)) {
        self.kind = kind
        self.secret = secret
    }

    /// Nil for anything that no node issued: wrong prefix, length, characters or checksum.
    package init?(_ text: some StringProtocol) {
        let characters = Array(text.utf8)
        for kind in Kind.allCases {
            let prefix = Array("clv_\(kind.rawValue)_".utf8)
            guard characters.count == prefix.count + Self.digits + Self.checksumDigits, characters.starts(with: prefix)
            else { continue }
            let body = characters[..<(prefix.count + Self.digits)]
            guard Array(Base62.encode(Self.crc32(body), digits: Self.checksumDigits)) == characters.suffix(6),
                let secret = Base62.decode(body.dropFirst(prefix.count), count: 32)
            else { return nil }
            self.init(kind, secret: SymmetricKey(data: secret))
            return
        }
        return nil
    }

    package var text: String {
        let body = Array("clv_\(kind.rawValue)_".utf8) + Base62.encode(secret.bytes, digits: Self.digits)
        return String(decoding: body + Base62.encode(Self.crc32(body[...]), digits: Self.checksumDigits), as: UTF8.self)
    }

    /// Finds the token's row; does not open it. 32 bytes.
    package var lookup: [UInt8] { secret.derive(Context("token-id")).bytes }

    /// CRC-32 as in IEEE 802.3. A checksum against typos, not a secret.
    private static func crc32(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        let remainder = bytes.reduce(~UInt32(0)) { crc, byte in
            (0..<8).reduce(crc ^ UInt32(byte)) { crc, _ in crc >> 1 ^ (crc & 1 == 1 ? 0xedb8_8320 : 0) }
        }
        return (~remainder).bigEndianBytes
    }
}

/// Big-endian numbers in the digits 0–9, A–Z, a–z, of a fixed width.
enum Base62 {
    private static let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    static func encode(_ bytes: [UInt8], digits: Int) -> [UInt8] {
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

    /// Nil for a foreign character or a number too large for `count` bytes.
    static func decode(_ text: some Collection<UInt8>, count: Int) -> [UInt8]? {
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
}
