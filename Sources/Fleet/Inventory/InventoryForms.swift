/// The formats of the inventory's names, addresses and keys. The patterns are those of nix/problems.nix.
package enum InventoryForms {
    /// `[a-z]([a-z0-9-]{0,61}[a-z0-9])?`
    static func isName(_ text: String) -> Bool {
        text.utf8.first?.isLowercaseLetter == true && isLabel(text[...])
    }

    /// `([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{1,63}`, and at most 253 characters
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
    static func isIPv4(_ text: String) -> Bool { HostAddress(text)?.isIPv6 == false }

    /// An address that no client on the internet can reach (RFC 6890): this network, private, shared, loopback, link-local,
    /// benchmarking, multicast and reserved. Documentation addresses (RFC 5737) are accepted, for examples and tests.
    static func isReservedIPv4(_ text: String) -> Bool {
        guard isIPv4(text) else { return false }
        let octets = text.split(separator: ".").compactMap { Int($0) }
        return switch (octets[0], octets[1]) {
        case (0, _), (10, _), (127, _), (224..., _), (100, 64...127), (169, 254), (172, 16...31), (192, 168),
            (198, 18...19):
            true
        default: false
        }
    }

    /// RFC 4291, section 2.2, in lower case and without dotted decimals.
    static func isIPv6(_ text: String) -> Bool { HostAddress(text)?.isIPv6 == true && text == text.lowercased() }

    /// `[23][0-9a-f]{3}:.*`: global unicast, as allocated so far (RFC 4291, section 2.4). Documentation addresses
    /// (RFC 3849) are accepted.
    static func isGlobalIPv6(_ text: String) -> Bool {
        let first = text.prefix { $0 != ":" }
        return first.utf8.count == 4 && (first.hasPrefix("2") || first.hasPrefix("3"))
    }

    /// `HOST` or `HOST:PORT`, where the host is a DNS name, an IPv4 address, or an IPv6 address in brackets; without a port the
    /// brackets are optional.
    package static func isServer(_ text: String) -> Bool {
        if isIPv6(text) { return true }
        guard let (host, port) = try? DNS.address(text), (1...65_535).contains(port) else { return false }
        // In the syntax that Nix supports.
        let written = [host, "\(host):\(port)", "[\(host)]", "[\(host)]:\(port)"]
        guard written.contains(text) else { return false }
        return text.hasPrefix("[") ? isIPv6(host) : isIPv4(host) || isDomain(host)
    }

    /// `[0-9a-f]{64}`
    static func isDigest(_ text: String) -> Bool {
        text.utf8.count == 64
            && text.utf8.allSatisfy { $0.isDigit || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0) }
    }

    /// `age1[a-z0-9]{58}|ssh-ed25519 [A-Za-z0-9+/=]+`
    static func isRecipient(_ text: String) -> Bool {
        if isHostKey(text) { return true }
        guard text.hasPrefix("age1"), text.utf8.count == 62 else { return false }
        return text.utf8.allSatisfy { $0.isDigit || $0.isLowercaseLetter }
    }

    /// `[1-9][0-9]{0,3}[smhd]`
    static func isDuration(_ text: String) -> Bool {
        let digits = text.utf8.dropLast()
        return (1...4).contains(digits.count) && digits.first != UInt8(ascii: "0") && digits.allSatisfy(\.isDigit)
            && "smhd".utf8.contains(text.utf8.last ?? 0)
    }

    /// `[0-9]{1,4}(,[0-9]{1,4}){3}`, not all zero
    static func isRetention(_ text: String) -> Bool {
        let numbers = text.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        return numbers.count == 4 && text.utf8.contains { (UInt8(ascii: "1")...UInt8(ascii: "9")).contains($0) }
            && numbers.allSatisfy { (1...4).contains($0.count) && $0.allSatisfy(\.isDigit) }
    }

    /// `/var(/[A-Za-z0-9._-]+)+`, without `.` or `..`, and not a program's data directory.
    static func isBackupFolder(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        guard text.hasPrefix("/var/"), parts.count > 1 else { return false }
        let isPlain = parts.allSatisfy { part in
            !part.isEmpty && part != "." && part != ".."
                && part.utf8.allSatisfy {
                    $0.isDigit || $0.isLowercaseLetter || $0.isUppercaseLetter || "._-".utf8.contains($0)
                }
        }
        let ours = ["/var/lib/clavitor", "/var/lib/clavitor-monitor", "/var/lib/clavitor-soc"]
        return isPlain && !ours.contains { text == $0 || text.hasPrefix("\($0)/") }
    }

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

    /// The second word of a line in `authorized_keys`, in which a control character could add a line.
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
