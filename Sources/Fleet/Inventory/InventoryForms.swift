/// The forms that names, addresses and keys of the inventory have. The patterns are those of nix/problems.nix.
enum InventoryForms {
    /// `[a-z]([a-z0-9-]{0,61}[a-z0-9])?`
    static func isName(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard (1...63).contains(bytes.count), let first = bytes.first, let last = bytes.last else { return false }
        return first.isLowercaseLetter && bytes.allSatisfy(isNameByte) && last != UInt8(ascii: "-")
    }

    /// `([a-z0-9-]+\.)+[a-z]+`
    static func isDomain(_ text: String) -> Bool {
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        guard labels.count > 1, let last = labels.last else { return false }
        return labels.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy(isNameByte) }
            && last.utf8.allSatisfy(\.isLowercaseLetter)
    }

    /// `([0-9]{1,3}\.){3}[0-9]{1,3}`
    static func isIPv4(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { (1...3).contains($0.utf8.count) && $0.utf8.allSatisfy(\.isDigit) }
    }

    /// `ssh-ed25519 [A-Za-z0-9+/=]+`
    static func isHostKey(_ text: String) -> Bool {
        guard text.hasPrefix("ssh-ed25519 ") else { return false }
        let key = text.utf8.dropFirst("ssh-ed25519 ".utf8.count)
        return !key.isEmpty && key.allSatisfy { $0.isBase64 || $0 == UInt8(ascii: "=") }
    }

    /// `(ssh-ed25519|sk-ssh-ed25519@openssh.com) [A-Za-z0-9+/=]+.*`
    static func isOperatorKey(_ text: String) -> Bool {
        for kind in ["ssh-ed25519 ", "sk-ssh-ed25519@openssh.com "] where text.hasPrefix(kind) {
            return text.utf8.dropFirst(kind.utf8.count).first.map { $0.isBase64 || $0 == UInt8(ascii: "=") } ?? false
        }
        return false
    }

    /// `[A-Za-z0-9+/]{43}=`
    static func isWireGuardKey(_ text: String) -> Bool {
        text.utf8.count == 44 && text.utf8.last == UInt8(ascii: "=") && text.utf8.dropLast().allSatisfy(\.isBase64)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        byte.isLowercaseLetter || byte.isDigit || byte == UInt8(ascii: "-")
    }
}
