/// An IPv4 address, as the inventory and the zone have it.
package struct IPv4Address: Hashable, Sendable {
    /// Most significant byte first: `192.0.2.1` is `0xc000_0201`.
    package let number: UInt32

    package init(number: UInt32) { self.number = number }

    /// Reads four decimal numbers. Nil for anything else, zeros in front among it: some programs read those as octal.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var number: UInt32 = 0
        for part in parts {
            guard let byte = UInt8(part), String(byte) == part else { return nil }
            number = number << 8 | UInt32(byte)
        }
        self.number = number
    }
}

extension IPv4Address: Comparable {
    package static func < (left: IPv4Address, right: IPv4Address) -> Bool { left.number < right.number }
}

extension IPv4Address: CustomStringConvertible {
    package var description: String {
        stride(from: 24, through: 0, by: -8).map { String(number >> UInt32($0) & 0xff) }.joined(separator: ".")
    }
}
