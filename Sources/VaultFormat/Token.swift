package import Crypto
import Encoding

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
    }

    private static let digits = 43

    package init(_ kind: Kind, secret: SymmetricKey = SymmetricKey(size: .bits256)) {
        self.kind = kind
        self.secret = secret
    }

    /// Nil for text with a wrong prefix, length, character or checksum.
    package init?(_ text: some StringProtocol) {
        let characters = Array(text.utf8)
        for kind in Kind.allCases {
            let prefix = Array("clv_\(kind.rawValue)_".utf8)
            guard characters.count == prefix.count + Self.digits + Base62.checksumDigits,
                characters.starts(with: prefix)
            else { continue }
            let body = characters[..<(prefix.count + Self.digits)]
            guard Base62.checksum(of: body) == Array(characters.suffix(Base62.checksumDigits)),
                let secret = Base62.decode(body.dropFirst(prefix.count), count: 32)
            else { return nil }
            self.init(kind, secret: SymmetricKey(data: secret))
            return
        }
        return nil
    }

    package var text: String {
        let body = Array("clv_\(kind.rawValue)_".utf8) + Base62.encode(secret.bytes, digits: Self.digits)
        return String(decoding: body + Base62.checksum(of: body), as: UTF8.self)
    }

    /// Look-up value of the token's row; does not open it. 32 bytes.
    package var lookup: [UInt8] { secret.derive(Context("token-id")).bytes }
}
