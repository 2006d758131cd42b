/// The signature record at the end of a message (RFC 8945, section 4.2).
struct TSIGRecord {
    static let type: UInt16 = 250
    /// Permitted clock skew in seconds, as recommended by RFC 8945, section 10.
    static let fudge: UInt16 = 300
    /// Times have 48 bits.
    private static let lastTime: UInt64 = 1 << 48 - 1

    let keyName: DNSName
    let algorithm: DNSName
    /// Seconds since 1970.
    let time: UInt64
    let fudge: UInt16
    var mac: [UInt8]
    let originalID: UInt16
    let error: UInt16
    let other: [UInt8]

    /// Makes a record without MAC.
    init(key: TSIGKey, id: UInt16, now: Int64) {
        keyName = key.name
        algorithm = key.algorithm.name
        time = min(UInt64(clamping: now), Self.lastTime)
        fudge = Self.fudge
        mac = []
        originalID = id
        error = 0
        other = []
    }

    /// Parses the rest of the record after its name and type.
    init(keyName: DNSName, _ reader: inout WireReader) throws(DNSResponseError) {
        self.keyName = keyName
        let (dnsClass, ttl, length) = (try reader.uint16(), try reader.uint32(), Int(try reader.uint16()))
        let end = reader.position + length
        algorithm = try reader.name()
        time = UInt64(try reader.uint16()) << 32 | UInt64(try reader.uint32())
        fudge = try reader.uint16()
        mac = try reader.bytes(Int(try reader.uint16()))
        originalID = try reader.uint16()
        error = try reader.uint16()
        other = try reader.bytes(Int(try reader.uint16()))
        guard dnsClass == DNSClass.any.rawValue, ttl == 0, reader.position == end else { throw .signatureRecord }
    }

    /// The fields of the record that the MAC covers (RFC 8945, section 4.3.3).
    var variables: [UInt8] {
        keyName.wire + DNSClass.any.rawValue.bigEndianBytes + UInt32(0).bigEndianBytes + algorithm.wire + timeAndFudge
            + errorAndOther
    }

    var wire: [UInt8] {
        let data =
            algorithm.wire + timeAndFudge + UInt16(mac.count).bigEndianBytes + mac + originalID.bigEndianBytes
            + errorAndOther
        return keyName.wire + Self.type.bigEndianBytes + DNSClass.any.rawValue.bigEndianBytes
            + UInt32(0).bigEndianBytes + UInt16(data.count).bigEndianBytes + data
    }

    private var timeAndFudge: [UInt8] { time.bigEndianBytes.suffix(6) + fudge.bigEndianBytes }
    private var errorAndOther: [UInt8] {
        error.bigEndianBytes + UInt16(other.count).bigEndianBytes + other
    }

    /// The clock skew in seconds; positive if the message's clock is ahead.
    func skew(from now: Int64) -> Int64 {
        Int64(time) - Int64(min(UInt64(clamping: now), Self.lastTime))
    }
}
