import Crypto
import FoundationEssentials

/// A WireGuard key pair: X25519 (RFC 7748), in base64 as in `wg`.
///
/// Its description is the public key. The private key stays in Crypto's self-wiping memory until it is requested as text,
/// which cannot be wiped and must not be stored in memory.
package struct WireGuardKey: Sendable {
    private static let byteCount = 32

    private let key: Curve25519.KeyAgreement.PrivateKey

    package init() {
        key = Curve25519.KeyAgreement.PrivateKey()
    }

    /// Parses the output of `wg genkey`.
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

    /// The clamped private key (RFC 7748, section 5), exactly as `wg genkey` prints it.
    package var privateText: String {
        // A copy, because `rawRepresentation` may share the key's own memory.
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

/// Never quotes the text, which may be secret.
package enum WireGuardKeyError: Error, Equatable, Sendable, CustomStringConvertible {
    case notAKey

    package var description: String { "A WireGuard key must be 32 bytes in base64, as `wg genkey` prints them." }
}
