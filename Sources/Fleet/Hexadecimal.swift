extension Sequence<UInt8> {
    /// Lower-case hexadecimal, two digits per byte.
    var hexadecimal: String {
        map { String($0 >> 4, radix: 16) + String($0 & 0xf, radix: 16) }.joined()
    }
}
