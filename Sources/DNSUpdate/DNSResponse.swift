/// A server's response (RFC 1035, section 4.1; RFC 2136, section 3.8): well formed, but not authenticated yet.
struct DNSResponse {
    /// A record other than the signature.
    struct Record {
        /// Its section, from 0 to 2; the first has the answers.
        let section: Int
        let name: DNSName
        let type: UInt16
        let dnsClass: UInt16
        /// Seconds.
        let ttl: UInt32
        let data: [UInt8]
    }

    let id: UInt16
    let isAuthoritative: Bool
    /// Nil for success.
    let errorCode: ResponseCode?
    let records: [Record]
    let signature: TSIGRecord?
    /// The part of the message that the signature covers: everything before it, with the record count reduced by one
    /// (RFC 8945, section 4.3.2).
    let signed: [UInt8]

    /// `opcode`: The opcode of the request.
    init(_ message: [UInt8], opcode: Opcode) throws(DNSResponseError) {
        var reader = WireReader(message)
        id = try reader.uint16()
        let flags = try reader.uint16()
        guard flags >> 15 == 1, flags >> 11 & 0xf == opcode.rawValue else { throw .notAResponse }
        guard flags & 0x0200 == 0 else { throw .truncationFlag }
        isAuthoritative = flags & 0x0400 != 0
        errorCode = ResponseCode(UInt8(flags & 0xf))

        let questions = try reader.uint16()
        let counts = [try reader.uint16(), try reader.uint16(), try reader.uint16()]
        for _ in 0..<questions {
            _ = try reader.name()
            _ = try reader.uint32()
        }
        var records: [Record] = []
        var signature: TSIGRecord?
        var signed = message
        for (section, count) in counts.enumerated() {
            for index in 0..<count {
                let start = reader.position
                let name = try reader.name()
                let type = try reader.uint16()
                guard type == TSIGRecord.type else {
                    records.append(try Record(section: section, name: name, type: type, &reader))
                    continue
                }
                // The signature must be the last record (RFC 8945, section 5.1).
                guard section == 2, index == count - 1 else { throw .signatureRecord }
                signature = try TSIGRecord(keyName: name, &reader)
                signed = Array(message[..<start])
                signed.replaceSubrange(10..<12, with: (count - 1).bigEndianBytes)
            }
        }
        guard reader.isAtEnd else { throw .trailingBytes }
        self.records = records
        self.signature = signature
        self.signed = signed
    }
}

extension DNSResponse.Record {
    /// Parses the rest of a record after its name and type.
    init(section: Int, name: DNSName, type: UInt16, _ reader: inout WireReader) throws(DNSResponseError) {
        self.section = section
        self.name = name
        self.type = type
        dnsClass = try reader.uint16()
        ttl = try reader.uint32()
        data = try reader.bytes(Int(try reader.uint16()))
    }
}

/// A server's error code (RFC 1035, section 4.1.1; RFC 2136, section 2.2).
package enum ResponseCode: Equatable, Sendable {
    case formatError
    case serverFailure
    case noSuchName
    case notImplemented
    case refused
    case notAuthorised
    case notInZone
    /// Codes for other kinds of request, and unassigned ones.
    case other(UInt8)

    init?(_ code: UInt8) {
        switch code {
        case 0: return nil
        case 1: self = .formatError
        case 2: self = .serverFailure
        case 3: self = .noSuchName
        case 4: self = .notImplemented
        case 5: self = .refused
        case 9: self = .notAuthorised
        case 10: self = .notInZone
        default: self = .other(code)
        }
    }
}

/// Why a message is not a valid response.
package enum DNSResponseError: Error, Equatable, Sendable {
    case truncated
    case truncationFlag
    case notAResponse
    case name
    case signatureRecord
    case trailingBytes
}
