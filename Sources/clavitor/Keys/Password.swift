import Secrets
@_spi(_Unicode) import Swift

/// A password normalized for key derivation: NFC, then UTF-8, so that it is the same on all systems.
struct Password: ~Copyable {
    let bytes: SecretBytes

    /// The text and its normalized copy are Swift strings, which cannot be wiped; they are released when the caller returns. The
    /// stored bytes are wiped.
    init(_ text: String) {
        bytes = SecretBytes(Password.normalized(text))
    }

    static func normalized(_ text: String) -> [UInt8] {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: text._nfc)
        return Array(String(view).utf8)
    }
}
