/// A server's answer to an update (RFC 2136, section 3.8), well formed and nothing more: nothing in it is proven yet.
struct UpdateAnswer {
    let id: UInt16
    /// Nil when the server has done what it was asked.
    let refusal: ResponseCode?
    let signature: TSIGRecord?
    /// What the signature covers of the message: all before it, as if it had never been counted (RFC 8945, section
    /// 4.3.2).
    let signed: [UInt8]

    init(_ message: [UInt8]) throws(AnswerFault) {
        var reader = WireReader(message)
        id = try reader.uint16()
        let flags = try reader.uint16()
        guard flags >> 15 == 1, flags >> 11 & 0xf == UpdateRequest.opcode else { throw .notAnAnswer }
        guard flags & 0x0200 == 0 else { throw .cutByServer }
        refusal = ResponseCode(UInt8(flags & 0xf))

        let zones = try reader.uint16()
        let others = Int(try reader.uint16()) + Int(try reader.uint16())
        let additional = try reader.uint16()
        for _ in 0..<zones {
            _ = try reader.name()
            _ = try reader.uint32()
        }
        var signature: TSIGRecord?
        var signed = message
        for index in 0..<(others + Int(additional)) {
            let start = reader.position
            let name = try reader.name()
            guard try reader.uint16() == TSIGRecord.type else {
                // Its class and lifetime, then its length and data.
                _ = try reader.bytes(6)
                _ = try reader.bytes(Int(try reader.uint16()))
                continue
            }
            // The last record or none (RFC 8945, section 5.1).
            guard index >= others, index == others + Int(additional) - 1 else { throw .signatureRecord }
            signature = try TSIGRecord(keyName: name, &reader)
            signed = Array(message[..<start])
            signed.replaceSubrange(10..<12, with: (additional - 1).bigEndianBytes)
        }
        guard reader.isAtEnd else { throw .trailingBytes }
        self.signature = signature
        self.signed = signed
    }
}

/// What a server says when it does not do what it was asked (RFC 2136, section 2.2).
package enum ResponseCode: Equatable, Sendable {
    case formatError
    case serverFailure
    case notImplemented
    case refused
    case notAuthorised
    case notInZone
    /// Codes that answer other questions than ours, and unassigned ones.
    case other(UInt8)

    init?(_ code: UInt8) {
        switch code {
        case 0: return nil
        case 1: self = .formatError
        case 2: self = .serverFailure
        case 4: self = .notImplemented
        case 5: self = .refused
        case 9: self = .notAuthorised
        case 10: self = .notInZone
        default: self = .other(code)
        }
    }
}

/// Why bytes are no answer.
package enum AnswerFault: Error, Equatable, Sendable {
    case cutShort
    case cutByServer
    case notAnAnswer
    case name
    case signatureRecord
    case trailingBytes
}
