import Crypto
import Encoding

/// The credential of a node at the monitor: 32 letters and digits at the end of its push URL. Stored only as a hash.
package struct PushToken: Sendable {
    package let text: String

    /// Generates a token with 165 bits of entropy.
    package init() {
        let letters = Array("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789")
        var random = SystemRandomNumberGenerator()
        text = String((0..<32).map { _ in letters[Int.random(in: 0..<letters.count, using: &random)] })
    }

    /// The SHA-256 under which the store finds the token, so that look-up timing reveals nothing of the token itself.
    package static func hash(_ text: some StringProtocol) -> [UInt8] { Array(SHA256.hash(data: Array(text.utf8))) }

    package var hash: [UInt8] { Self.hash(text) }

    /// Generates a bearer token for an operator's tool, with 256 bits of entropy.
    package static func forTool() -> String {
        var random = SystemRandomNumberGenerator()
        return "clm_" + Hexadecimal.encode((0..<32).map { _ in UInt8.random(in: 0...255, using: &random) })
    }

    /// The hash in hexadecimal, as in an inventory.
    package static func digest(_ text: some StringProtocol) -> String { Hexadecimal.encode(hash(text)) }
}
