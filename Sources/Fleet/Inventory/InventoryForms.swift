/// The forms that names, addresses and keys of the inventory have. The patterns are those of nix/problems.nix.
enum InventoryForms {
    /// `[a-z]([a-z0-9-]{0,61}[a-z0-9])?`
    static func isName(_ text: String) -> Bool {
        text.utf8.first?.isLowercaseLetter == true && isLabel(text[...])
    }

    /// `([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{1,63}`, and at most 253 letters
    static func isDomain(_ text: String) -> Bool {
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        guard labels.count > 1, text.utf8.count <= 253, let last = labels.last else { return false }
        return labels.allSatisfy(isLabel) && last.utf8.allSatisfy(\.isLowercaseLetter)
    }

    /// A domain itself, or one below it.
    static func isWithin(_ zone: String, _ domain: String) -> Bool {
        domain == zone || domain.hasSuffix(".\(zone)")
    }

    /// `(OCTET\.){3}OCTET`, where an octet is `25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9]`
    static func isIPv4(_ text: String) -> Bool { IPv4Address(text) != nil }

    /// `ssh-ed25519 [A-Za-z0-9+/=]+`
    static func isHostKey(_ text: String) -> Bool {
        guard text.hasPrefix("ssh-ed25519 ") else { return false }
        let key = text.utf8.dropFirst("ssh-ed25519 ".utf8.count)
        return !key.isEmpty && key.allSatisfy { $0.isBase64 || $0 == UInt8(ascii: "=") }
    }

    /// `(ssh-ed25519|sk-ssh-ed25519@openssh\.com) [A-Za-z0-9+/=]+( [^[:cntrl:]]*)?`
    static func isOperatorKey(_ text: String) -> Bool {
        guard let key = publicKey(text) else { return false }
        return !key.isEmpty && key.allSatisfy { $0.isBase64 || $0 == UInt8(ascii: "=") }
    }

    /// The same, with a whole key: `(G{4}){16,}(G{4}|G{3}=|G{2}==)` where G is `[A-Za-z0-9+/]`.
    static func isBreakGlassKey(_ text: String) -> Bool {
        guard let key = publicKey(text), key.count >= 68, key.count.isMultiple(of: 4) else { return false }
        let bare = key.reversed().drop { $0 == UInt8(ascii: "=") }
        return bare.count >= key.count - 2 && bare.allSatisfy(\.isBase64)
    }

    /// `[A-Za-z0-9+/]{43}=`
    static func isWireGuardKey(_ text: String) -> Bool {
        text.utf8.count == 44 && text.utf8.last == UInt8(ascii: "=") && text.utf8.dropLast().allSatisfy(\.isBase64)
    }

    /// The second word of a line in `authorized_keys`, in which a control character would be a line of its own.
    private static func publicKey(_ text: String) -> Substring.UTF8View? {
        let words = text.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard words.count >= 2, ["ssh-ed25519", "sk-ssh-ed25519@openssh.com"].contains(words[0]),
            !text.utf8.contains(where: { $0 < 32 || $0 == 127 })
        else { return nil }
        return words[1].utf8
    }

    /// `[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?`
    private static func isLabel(_ text: Substring) -> Bool {
        (1...63).contains(text.utf8.count) && text.utf8.first != UInt8(ascii: "-")
            && text.utf8.last != UInt8(ascii: "-")
            && text.utf8.allSatisfy { $0.isLowercaseLetter || $0.isDigit || $0 == UInt8(ascii: "-") }
    }
}
