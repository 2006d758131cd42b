/// The bytes of integers, most significant first. Not generic, as `constantTimeEqual`.
extension UInt64 {
    package var bigEndianBytes: [UInt8] { bytes(8) }

    fileprivate func bytes(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        for index in bytes.indices {
            bytes[index] = UInt8(truncatingIfNeeded: self >> UInt64(8 * (count - 1 - index)))
        }
        return bytes
    }
}

extension Int64 {
    package var bigEndianBytes: [UInt8] { UInt64(bitPattern: self).bytes(8) }
}

extension UInt32 {
    package var bigEndianBytes: [UInt8] { UInt64(self).bytes(4) }
}

extension UInt16 {
    package var bigEndianBytes: [UInt8] { UInt64(self).bytes(2) }
}
