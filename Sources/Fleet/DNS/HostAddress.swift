import IPNetworks

/// A node's public IPv4 or IPv6 address, as in the inventory and the zone.
package struct HostAddress: Hashable, Sendable {
    /// 4 bytes for IPv4 or 16 for IPv6, most significant first. An IPv4-mapped IPv6 address stays IPv6, because it is in an
    /// AAAA record.
    package let bytes: [UInt8]

    package init?(bytes: [UInt8]) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    /// Parses dotted decimal IPv4, or IPv6 in hexadecimal alone. Nil for anything else, also for leading zeros in a decimal
    /// number, which some programs parse as octal.
    package init?(_ text: some StringProtocol) {
        guard !text.contains("%"), !(text.contains(":") && text.contains(".")), let address = IPAddress(text) else {
            return nil
        }
        bytes =
            text.contains(":") && address.bytes.count == 4
            ? [UInt8](repeating: 0, count: 10) + [0xff, 0xff] + address.bytes : address.bytes
    }

    package var isIPv6: Bool { bytes.count == 16 }
    /// The record type for the address.
    package var recordType: String { isIPv6 ? "AAAA" : "A" }
}

extension HostAddress: Comparable {
    /// Sorts IPv4 before IPv6.
    package static func < (left: HostAddress, right: HostAddress) -> Bool {
        left.bytes.count == right.bytes.count
            ? left.bytes.lexicographicallyPrecedes(right.bytes) : left.bytes.count < right.bytes.count
    }
}

extension HostAddress: CustomStringConvertible {
    /// The canonical text form (RFC 5952, section 4).
    package var description: String {
        if bytes.count == 4 { return bytes.map { "\($0)" }.joined(separator: ".") }
        let groups = stride(from: 0, to: 16, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
        func text(_ some: ArraySlice<UInt16>) -> String {
            some.map { String($0, radix: 16) }.joined(separator: ":")
        }
        guard let zeros = Self.longestZeros(groups) else { return text(groups[...]) }
        return "\(text(groups[..<zeros.lowerBound]))::\(text(groups[zeros.upperBound...]))"
    }

    /// The first of the longest runs of at least two groups.
    private static func longestZeros(_ groups: [UInt16]) -> Range<Int>? {
        var longest: Range<Int>?
        var start = 0
        for end in 1...groups.count where end == groups.count || groups[end] != 0 || groups[start] != 0 {
            if groups[start] == 0, end - start > max(longest?.count ?? 0, 1) { longest = start..<end }
            start = end
        }
        return longest
    }
}
