package import Crypto
import Encoding
import Secrets

/// The text form of a key in a request body.
extension SymmetricKey {
    /// Nil for text that is not 32 bytes in base64url.
    package init?(base64URL text: some StringProtocol) {
        var isValid = false
        let bytes = SecretBytes(count: 32) { output in
            isValid = Base64URL.decode(text, into: &output)
            // After a failure the rest must be written too.
            output.append(repeating: 0, count: output.freeCapacity)
        }
        guard isValid else { return nil }
        self.init(bytes)
    }

    /// The key as text, to be sent. A `String` cannot be wiped.
    package var base64URL: String { Base64URL.encode(bytes) }
}
