extension Sequence<UInt8> {
    /// Two small letters or digits for each byte.
    var hexadecimal: String {
        map { String($0 >> 4, radix: 16) + String($0 & 0xf, radix: 16) }.joined()
    }
}
