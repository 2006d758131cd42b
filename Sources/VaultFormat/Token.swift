package import Crypto
import Encoding
import Secrets

/// A credential as text: a prefix such as `clv_agt_`, 32 bytes in base 62, six characters of CRC-32.
///
/// It has only letters, digits and underscores, so that a double click selects all of it. Secret scanners recognize the prefix, and
/// the checksum distinguishes a typo from a revoked token without a look-up.
package struct Token: Sendable {
    package let kind: Kind
    package let secret: SymmetricKey

    package enum Kind: String, Sendable, CaseIterable {
        case session = "ses"
        case agent = "agt"
        /// A recovery kit, printed once.
        case recoveryKit = "kit"
        case invite = "inv"
        case rootKey = "root"

        fileprivate var prefix: String { "clv_\(rawValue)_" }
    }

    private static let digits = 43

    package init(_ kind: Kind, secret: SymmetricKey = SymmetricKey(size: .bits256)) {
        self.kind = kind
        self.secret = secret
    }

    /// Nil for text with a wrong prefix, length, character or checksum.
    package init?(_ text: some StringProtocol) {
        let characters = text.utf8
        for kind in Kind.allCases {
            let prefix = kind.prefix.utf8
            guard characters.count == prefix.count + Self.digits + Base62.checksumDigits,
                characters.starts(with: prefix)
            else { continue }
            let body = characters.dropLast(Base62.checksumDigits)
            var isNumber = false
            let secret = SecretBytes(count: 32) { output in
                isNumber = Base62.decode(body.dropFirst(prefix.count), into: &output)
            }
            guard isNumber, Base62.checksum(of: body).elementsEqual(characters.suffix(Base62.checksumDigits)) else {
                return nil
            }
            self.init(kind, secret: SymmetricKey(secret))
            return
        }
        return nil
    }

    package var text: String {
        let prefix = kind.prefix.utf8
        let text = SecretBytes(count: prefix.count + Self.digits + Base62.checksumDigits) { output in
            for character in prefix { output.append(character) }
            Base62.encode(secret.bytes, digits: Self.digits, to: &output)
            for digit in Base62.checksum(of: output.span) { output.append(digit) }
        }
        return text.text
    }

    /// Look-up value of the token's row; does not open it. 32 bytes.
    package var lookup: [UInt8] { secret.tokenLookup }
}
