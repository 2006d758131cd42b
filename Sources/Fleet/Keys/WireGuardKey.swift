import Crypto
import FoundationEssentials

/// A WireGuard key pair: X25519 (RFC 7748), in base64 as `wg` has it.
///
/// Prints as its public half. The private one stays in Crypto's wiped memory until it is asked for as text; a `String`
/// cannot be wiped, so whoever asks does not keep it.
package struct WireGuardKey: Sendable {
    private static let byteCount = 32

    private let key: Curve25519.KeyAgreement.PrivateKey

    package init() {
        key = Curve25519.KeyAgreement.PrivateKey()
    }

    /// Reads what `wg genkey` prints.
    package init(_ text: some StringProtocol) throws(WireGuardKeyError) {
        let bare = text.filter { !$0.isWhitespace }
        guard bare.count == 44, var bytes = Data(base64Encoded: String(bare)), bytes.count == Self.byteCount else {
            throw .notAKey
        }
        defer { bytes.resetBytes(in: bytes.indices) }
        guard let key = try? Curve25519.KeyAgreement.PrivateKey(rawRepresentation: bytes) else { throw .notAKey }
        self.key = key
    }

    package var publicText: String { key.publicKey.rawRepresentation.base64EncodedString() }

    /// Clamped (RFC 7748, section 5), as `wg genkey` prints it: programs that compare texts must see no difference.
    package var privateText: String {
        // A copy: what `rawRepresentation` returns is the key's own memory, and a change would change the key.
        var bytes = [UInt8](key.rawRepresentation)
        bytes[0] &= 248
        bytes[Self.byteCount - 1] &= 127
        bytes[Self.byteCount - 1] |= 64
        return Data(bytes).base64EncodedString()
    }
}

extension WireGuardKey: CustomStringConvertible, CustomReflectable {
    package var description: String { publicText }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// The text itself is never quoted.
package enum WireGuardKeyError: Error, Equatable, Sendable, CustomStringConvertible {
    case notAKey

    package var description: String { "This is no WireGuard key: 32 bytes in base64, as `wg genkey` prints them." }
}
