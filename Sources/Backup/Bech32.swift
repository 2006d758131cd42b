import Secrets

/// Bech32 as used by age: BIP 173 without the limit of 90 characters (specification, "Conventions").
///
/// Wipes its working copies, because they may be secret keys. The caller is responsible for the text.
enum Bech32 {
    private static let alphabet = [UInt8]("qpzry9x8gf2tvdw0s3jn54khce6mua7l".utf8)
    /// A post-quantum recipient has about 2,000 characters; no age key is longer than this.
    private static let maximumLength = 4096
    private static let checksumLength = 6

    /// Encodes `bytes` in lower case if `prefix` is in lower case.
    static func encode(prefix: String, bytes: [UInt8]) -> String {
        var values = regroup(bytes, from: 8, to: 5, padding: true) ?? []
        defer { wipe(&values) }
        let checksum = checksum(prefix: [UInt8](prefix.utf8), values: values)
        var text = prefix + "1"
        for group in [values, checksum] {
            for value in group { text.unicodeScalars.append(Unicode.Scalar(alphabet[Int(value)])) }
        }
        return text
    }

    /// Decodes the human-readable part, in its original case, and the bytes.
    /// Nil for any error, mixed case included.
    static func decode(_ text: some StringProtocol) -> (prefix: String, bytes: [UInt8])? {
        var characters = Array(text.utf8.prefix(maximumLength + 1))
        defer { wipe(&characters) }
        guard characters.count <= maximumLength, characters.allSatisfy({ (33...126).contains($0) }) else { return nil }
        let hasLower = characters.contains { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }
        let hasUpper = characters.contains { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }
        guard !(hasLower && hasUpper), let separator = characters.lastIndex(of: UInt8(ascii: "1")) else { return nil }
        let prefix = Array(characters[..<separator])

        var values: [UInt8] = []
        values.reserveCapacity(characters.count)
        defer { wipe(&values) }
        for character in characters[(separator + 1)...] {
            guard let value = alphabet.firstIndex(of: lowercased(character)) else { return nil }
            values.append(UInt8(value))
        }
        guard !prefix.isEmpty, values.count >= checksumLength,
            polymod(values, after: polymod(expand(prefix.map(lowercased)))) == 1
        else { return nil }
        values.removeLast(checksumLength)
        guard let bytes = regroup(values, from: 5, to: 8, padding: false) else { return nil }
        return (String(decoding: prefix, as: UTF8.self), bytes)
    }

    private static func lowercased(_ character: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(character) ? character + 32 : character
    }

    private static func checksum(prefix: [UInt8], values: [UInt8]) -> [UInt8] {
        let remainder =
            polymod(
                [UInt8](repeating: 0, count: checksumLength),
                after: polymod(values, after: polymod(expand(prefix)))
            ) ^ 1
        return (0..<checksumLength).map { index in
            UInt8(remainder >> UInt32(5 * (checksumLength - 1 - index)) & 31)
        }
    }

    /// Expands the prefix for the checksum: high bits, a zero, low bits.
    private static func expand(_ prefix: [UInt8]) -> [UInt8] {
        prefix.map { $0 >> 5 } + [0] + prefix.map { $0 & 31 }
    }

    /// The BCH remainder over GF(32), continued from an earlier one, to avoid a concatenated copy of a secret. The
    /// constants are the generator of BIP 173.
    private static func polymod(_ values: [UInt8], after earlier: UInt32 = 1) -> UInt32 {
        let generator: [UInt32] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3]
        var remainder = earlier
        for value in values {
            let top = remainder >> 25
            remainder = (remainder & 0x1ff_ffff) << 5 ^ UInt32(value)
            for bit in 0..<5 where top >> UInt32(bit) & 1 == 1 {
                remainder ^= generator[bit]
            }
        }
        return remainder
    }

    /// Regroups bits into another width. Without padding, leftover bits must be fewer than one input group and all zero,
    /// because otherwise two texts would encode the same key.
    private static func regroup(_ input: [UInt8], from: Int, to width: Int, padding: Bool) -> [UInt8]? {
        var output: [UInt8] = []
        output.reserveCapacity(input.count * from / width + 1)
        var bits: UInt32 = 0
        var bitCount = 0
        for group in input {
            bits = (bits << UInt32(from) | UInt32(group)) & 0xfff
            bitCount += from
            while bitCount >= width {
                bitCount -= width
                output.append(UInt8(bits >> UInt32(bitCount) & (1 << UInt32(width) - 1)))
            }
        }
        let leftover = bits & (1 << UInt32(bitCount) - 1)
        if padding {
            if bitCount > 0 { output.append(UInt8(leftover << UInt32(width - bitCount))) }
        } else if bitCount >= from || leftover != 0 {
            return nil
        }
        return output
    }
}
