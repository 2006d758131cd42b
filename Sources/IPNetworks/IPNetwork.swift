/// An IPv4 or IPv6 address. IPv4-mapped IPv6 addresses (RFC 4291 section 2.5.5.2) are IPv4.
package struct IPAddress: Hashable, Sendable {
    /// 4 or 16 bytes.
    package let bytes: [UInt8]

    package init?(bytes: [UInt8]) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]
        self.bytes = bytes.count == 16 && bytes.starts(with: mapped) ? Array(bytes.suffix(4)) : bytes
    }

    /// Parses dotted decimal or RFC 4291 text; a zone (`%eth0`) is dropped.
    package init?(_ text: some StringProtocol) {
        let bare = text.prefix { $0 != "%" }
        guard let bytes = bare.contains(":") ? Self.ipv6(bare) : Self.ipv4(bare) else { return nil }
        self.init(bytes: bytes)
    }

    private static func ipv4(_ text: some StringProtocol) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bytes: [UInt8] = []
        for part in parts {
            guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (48...57).contains($0) }),
                part.utf8.count == 1 || part.first != "0", let byte = UInt8(part)
            else { return nil }
            bytes.append(byte)
        }
        return bytes
    }

    private static func ipv6(_ text: some StringProtocol) -> [UInt8]? {
        let halves = String(text).split(separator: "::", maxSplits: 2, omittingEmptySubsequences: false)
        guard halves.count <= 2, let head = groups(halves[0], isEnd: halves.count == 1) else { return nil }
        guard halves.count == 2 else { return head.count == 16 ? head : nil }
        guard let tail = groups(halves[1], isEnd: true), head.count + tail.count <= 14 else { return nil }
        return head + [UInt8](repeating: 0, count: 16 - head.count - tail.count) + tail
    }

    /// `isEnd`: Whether the address ends here, so that its last four bytes may be dotted decimal.
    private static func groups(_ text: some StringProtocol, isEnd: Bool) -> [UInt8]? {
        if text.isEmpty { return [] }
        var bytes: [UInt8] = []
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            if isEnd, index == parts.count - 1, part.contains(".") {
                guard let last = ipv4(part) else { return nil }
                bytes += last
            } else {
                guard (1...4).contains(part.utf8.count), part.first != "+", part.first != "-",
                    let group = UInt16(part, radix: 16)
                else { return nil }
                bytes += [UInt8(group >> 8), UInt8(truncatingIfNeeded: group)]
            }
        }
        return bytes
    }

    /// The network that rate limits and connection ceilings count as one client: /24 of IPv4, /64 of IPv6.
    package var rateLimitPrefix: IPNetwork {
        IPNetwork(base: self, prefix: bytes.count == 4 ? 24 : 64)
    }

    /// Dotted decimal, or eight groups of hexadecimal.
    package var text: String {
        if bytes.count == 4 { return bytes.map { "\($0)" }.joined(separator: ".") }
        return stride(from: 0, to: 16, by: 2)
            .map { String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16) }
            .joined(separator: ":")
    }
}

/// A CIDR block (RFC 4632). Its text is `address/prefix`; without a prefix it is a single address.
package struct IPNetwork: Hashable, Sendable, Codable {
    private let base: IPAddress
    private let prefix: Int

    /// Bits after the prefix are dropped.
    package init(base: IPAddress, prefix: Int) {
        var bytes = base.bytes
        for index in bytes.indices {
            let kept = min(max(prefix - index * 8, 0), 8)
            bytes[index] &= UInt8(truncatingIfNeeded: 0xff << (8 - kept))
        }
        self.base = IPAddress(bytes: bytes) ?? base
        self.prefix = prefix
    }

    package init?(_ text: String) {
        // A zone is local to one machine, and `IPAddress` would drop it.
        if text.contains("%") { return nil }
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = parts.first.flatMap({ IPAddress($0) }) else { return nil }
        let bits = address.bytes.count * 8
        guard parts.count == 2 else {
            self.init(base: address, prefix: bits)
            return
        }
        guard let prefix = Int(parts[1]), (0...bits).contains(prefix), "\(prefix)" == parts[1] else { return nil }
        self.init(base: address, prefix: prefix)
    }

    package func contains(_ address: IPAddress) -> Bool {
        address.bytes.count == base.bytes.count && IPNetwork(base: address, prefix: prefix).base == base
    }

    package func contains(_ other: IPNetwork) -> Bool { other.prefix >= prefix && contains(other.base) }

    package var text: String { "\(base.text)/\(prefix)" }

    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let network = IPNetwork(text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "must be a network such as 192.0.2.0/24"))
        }
        self = network
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
