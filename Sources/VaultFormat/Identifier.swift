import Encoding

/// A 16-byte random identifier. `Kind` keeps an entry's id from being used as a field's.
package struct Identifier<Kind>: Hashable, Sendable, Comparable {
    fileprivate let high: UInt64
    fileprivate let low: UInt64

    /// Generates an id. Its text never begins with "-", which a command line would parse as an option.
    package static func random() -> Identifier {
        var generator = SystemRandomNumberGenerator()
        while true {
            let id = Identifier(high: generator.next(), low: generator.next())
            // The first of 22 characters encodes six bits; 62 is "-".
            if id.high >> 58 != 62 { return id }
        }
    }

    /// Nil unless there are exactly 16 bytes.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        var words: (UInt64, UInt64) = (0, 0)
        for index in 0..<8 {
            words.0 = words.0 << 8 | UInt64(bytes[index])
            words.1 = words.1 << 8 | UInt64(bytes[index + 8])
        }
        (high, low) = words
    }

    /// Parses the 22 characters of `text`. Nil for anything else.
    package init?(text: some StringProtocol) {
        guard text.utf8.count == 22, let bytes = Base64URL.decode(text) else { return nil }
        self.init(bytes)
    }

    /// The same bytes as another kind of id.
    init<Other>(_ other: Identifier<Other>) {
        (high, low) = (other.high, other.low)
    }

    private init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    package var bytes: [UInt8] {
        // Written as a loop for speed: it runs some twenty times for every read.
        var bytes = [UInt8](repeating: 0, count: 16)
        for index in 0..<8 {
            bytes[index] = UInt8(truncatingIfNeeded: high >> UInt64(56 - 8 * index))
            bytes[index + 8] = UInt8(truncatingIfNeeded: low >> UInt64(56 - 8 * index))
        }
        return bytes
    }

    /// Base64url, 22 characters.
    package var text: String { Base64URL.encode(bytes) }

    package static func < (left: Identifier, right: Identifier) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }
}

package enum VaultKind {}
package enum EntryKind {}
package enum FieldKindName {}
package enum HolderKind {}
package enum PrincipalKind {}
package enum CredentialKindName {}

package typealias VaultID = Identifier<VaultKind>
package typealias EntryID = Identifier<EntryKind>
package typealias FieldID = Identifier<FieldKindName>
package typealias HolderID = Identifier<HolderKind>
/// Who acts: the owner or an agent. It never changes, whereas the key holder is replaced by a change of password or a rotation.
package typealias PrincipalID = Identifier<PrincipalKind>
package typealias CredentialID = Identifier<CredentialKindName>

extension VaultID {
    /// The owner as a principal: has the vault's id.
    package var owner: PrincipalID { PrincipalID(self) }
}

extension FieldID {
    /// The field id of an entry's title: 16 zero bytes. Granted along with any field.
    // swift-format-ignore: NeverForceUnwrap
    package static let title = FieldID([UInt8](repeating: 0, count: 16))!
    /// The field id of an entry's details: 15 zero bytes and a one. Readable by the owner only.
    // swift-format-ignore: NeverForceUnwrap
    package static let details = FieldID([UInt8](repeating: 0, count: 15) + [1])!

    /// Whether the format assigns the id a meaning, so that a client may not choose it.
    package var isReserved: Bool { self == .title || self == .details }
}
