extension FixedWidthInteger {
    /// The bytes, most significant first.
    package var bigEndianBytes: [UInt8] {
        (1...(Self.bitWidth / 8)).map { UInt8(truncatingIfNeeded: self >> Self(Self.bitWidth - 8 * $0)) }
    }
}
