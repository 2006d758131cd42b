import Crypto
import VaultFormat

/// A recovery kit: 32 bytes, printed as a `Token`, whose checksum distinguishes a typo from a wrong kit.
struct RecoveryKit: Sendable {
    let secret: SymmetricKey

    init(secret: SymmetricKey = SymmetricKey(size: .bits256)) {
        self.secret = secret
    }

    /// Parses the form of `text`, ignoring white space. Nil for a typo.
    init?(_ text: some StringProtocol) {
        let characters = text.utf8.filter { !" \t\r\n".utf8.contains($0) }
        guard let token = Token(String(decoding: characters, as: UTF8.self)), token.kind == .recoveryKit else {
            return nil
        }
        secret = token.secret
    }

    var text: String { Token(.recoveryKit, secret: secret).text }
}
