import Crypto
import Encoding

/// What a node proves itself with: 32 letters and digits at the end of its push URL. Kept as a hash only.
package struct PushToken: Sendable {
    package let text: String

    /// A new one, with 165 bits from the system's generator.
    package init() {
        let letters = Array("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789")
        var random = SystemRandomNumberGenerator()
        text = String((0..<32).map { _ in letters[Int.random(in: 0..<letters.count, using: &random)] })
    }

    /// What the store knows of it, and what it is found by: whoever times the look-up learns of the hash alone.
    package static func hash(_ text: some StringProtocol) -> [UInt8] { Array(SHA256.hash(data: Array(text.utf8))) }

    package var hash: [UInt8] { Self.hash(text) }

    /// The token of a tool that speaks to the monitor for an operator, with 256 bits.
    package static func forTool() -> String {
        var random = SystemRandomNumberGenerator()
        return "clm_" + Hexadecimal.encode((0..<32).map { _ in UInt8.random(in: 0...255, using: &random) })
    }

    /// The hash as an inventory has it.
    package static func digest(_ text: some StringProtocol) -> String { Hexadecimal.encode(hash(text)) }
}
