@_spi(_Unicode) import Swift

/// A password as the key derivation takes it: NFC, then UTF-8, so that one password typed on two systems is one.
struct Password: ~Copyable {
    let bytes: SecretBytes

    /// The text and its normalised twin are ordinary Swift strings, which nobody can wipe; they die with the caller's
    /// frame and are overwritten whenever the allocator likes. What is kept for longer is wiped.
    init(_ text: String) {
        bytes = SecretBytes(Password.normalized(text))
    }

    static func normalized(_ text: String) -> [UInt8] {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: text._nfc)
        return Array(String(view).utf8)
    }
}
