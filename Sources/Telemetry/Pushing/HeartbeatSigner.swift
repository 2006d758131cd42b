package import Crypto
import Encoding
import Wire

/// Signs heartbeats with the node's key.
package struct HeartbeatSigner: Sendable {
    private let key: Curve25519.Signing.PrivateKey
    /// base64url.
    let publicKey: String

    package init(_ key: Curve25519.Signing.PrivateKey) {
        self.key = key
        publicKey = Base64URL.encode(Array(key.publicKey.rawRepresentation))
    }

    /// The signature of a heartbeat's body, in base64url.
    func sign(_ body: [UInt8]) throws -> String {
        Base64URL.encode(Array(try key.signature(for: HeartbeatSignature.message(body))))
    }
}
