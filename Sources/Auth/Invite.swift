import Crypto
import Encoding
import Secrets
package import VaultFormat

/// Invitations to register. The node authenticates them, so that creating one writes no row; redeeming one does.
extension NodeKeys {
    /// `expires`: Unix seconds.
    package func makeInvite(expires: Int64) -> String {
        let payload = expires.bigEndianBytes + Int64.random(in: .min ... .max).bigEndianBytes
        return Token(.invite, secret: SymmetricKey(data: payload + inviteCode(payload))).text
    }

    /// Returns the payload to store when the invitation is redeemed. Nil for a forged or expired one.
    func openInvite(_ text: String, at now: Int64) -> [UInt8]? {
        guard let token = Token(text), token.kind == .invite else { return nil }
        let bytes = token.secret.bytes
        let payload = Array(bytes.prefix(16))
        let expires = payload.prefix(8).reduce(Int64(0)) { $0 << 8 | Int64($1) }
        guard constantTimeEqual(inviteCode(payload), Array(bytes.suffix(16))), now < expires else { return nil }
        return payload
    }
}
