extension DNSUpdater {
    /// One change to a zone (RFC 2136, section 2.5).
    package enum Change: Equatable, Sendable {
        /// Adds a record, or changes the TTL, in seconds, of an existing one.
        case add(DNSName, ttl: UInt32, Record)
        /// Removes all records of a type. A missing set is not an error.
        case removeSet(DNSName, RecordType)
        /// Removes one record. A missing record is not an error.
        case remove(DNSName, Record)
    }

    package enum RecordType: UInt16, Equatable, Sendable {
        case a = 1
        case txt = 16
        case aaaa = 28
    }

    package enum Record: Equatable, Sendable {
        /// Most significant byte first: `192.0.2.1` is `0xc000_0201`.
        case a(UInt32)
        /// Most significant byte first.
        case aaaa(UInt128)
        /// Split into strings of 255 bytes if it is longer; readers join them (RFC 7208, section 3.3).
        case txt(String)

        /// The record for an IP address of 4 or 16 bytes; nil for any other length.
        package init?(address bytes: [UInt8]) {
            switch bytes.count {
            case 4: self = .a(bytes.reduce(0) { $0 << 8 | UInt32($1) })
            case 16: self = .aaaa(bytes.reduce(0) { $0 << 8 | UInt128($1) })
            default: return nil
            }
        }

        package var type: RecordType {
            switch self {
            case .a: .a
            case .aaaa: .aaaa
            case .txt: .txt
            }
        }

        /// RFC 1035, sections 3.3.14 and 3.4.1; RFC 3596, section 2.2.
        var data: [UInt8] {
            switch self {
            case .a(let address): return address.bigEndianBytes
            case .aaaa(let address): return address.bigEndianBytes
            case .txt(let text):
                let bytes = Array(text.utf8)
                // At least one string is required, so an empty text is one empty string.
                return stride(from: 0, to: max(bytes.count, 1), by: 255).flatMap { start in
                    let string = bytes[start..<min(start + 255, bytes.count)]
                    return [UInt8(string.count)] + string
                }
            }
        }
    }
}

extension DNSUpdater.Change {
    var name: DNSName {
        switch self {
        case .add(let name, _, _), .removeSet(let name, _), .remove(let name, _): name
        }
    }

    /// The encoded update record: its class selects the operation (RFC 2136, sections 2.5.1, 2.5.2, 2.5.4).
    var wire: [UInt8] {
        switch self {
        case .add(let name, let ttl, let record):
            Self.wire(name, record.type, .internet, ttl: ttl, data: record.data)
        case .removeSet(let name, let type):
            Self.wire(name, type, .any, ttl: 0, data: [])
        case .remove(let name, let record):
            Self.wire(name, record.type, .none, ttl: 0, data: record.data)
        }
    }

    /// Truncating the length is harmless: such a message is too large and is never sent.
    private static func wire(
        _ name: DNSName, _ type: DNSUpdater.RecordType, _ dnsClass: DNSClass, ttl: UInt32, data: [UInt8]
    ) -> [UInt8] {
        name.wire + type.rawValue.bigEndianBytes + dnsClass.rawValue.bigEndianBytes + ttl.bigEndianBytes
            + UInt16(truncatingIfNeeded: data.count).bigEndianBytes + data
    }
}

/// RFC 1035, section 3.2.4, and RFC 2136, section 1.3.
enum DNSClass: UInt16 {
    case internet = 1
    case none = 254
    case any = 255
}

extension FixedWidthInteger {
    var bigEndianBytes: [UInt8] {
        stride(from: Self.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: self >> $0) }
    }
}
