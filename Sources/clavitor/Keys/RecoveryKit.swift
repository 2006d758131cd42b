import Crypto
import VaultFormat

/// Thirty-two bytes on paper that open the account when the password is lost: a `Token` of that kind, so a typo is told
/// from a kit that is not the account's.
struct RecoveryKit: Sendable {
    let secret: SymmetricKey

    init(secret: SymmetricKey = SymmetricKey(size: .bits256)) {
        self.secret = secret
    }

    /// Reads what `text` gives; spaces and line breaks around and within it are what people type. Nil for a typo.
    init?(_ text: some StringProtocol) {
        let characters = text.utf8.filter { !" \t\r\n".utf8.contains($0) }
        guard let token = Token(String(decoding: characters, as: UTF8.self)), token.kind == .recoveryKit else {
            return nil
        }
        secret = token.secret
    }

    var text: String { Token(.recoveryKit, secret: secret).text }
}
