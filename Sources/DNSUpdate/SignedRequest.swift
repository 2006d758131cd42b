/// What is asked of a server (RFC 1035, section 4.1.1; RFC 2136, section 1.3).
enum Opcode: UInt16 {
    case query = 0
    case update = 5
}

/// A message to a server, signed when there is a key, and how its answer is proven (RFC 8945).
struct SignedRequest {
    /// As it goes over the wire, without the length that TCP wants in front.
    let bytes: [UInt8]
    private let id: UInt16
    private let opcode: Opcode
    private let key: TSIGKey?
    private let mac: [UInt8]

    /// `counts` and `body` are of the first three sections; the fourth has the signature alone.
    ///
    /// - Throws: `tooLarge`.
    init(
        id: UInt16, opcode: Opcode, counts: [UInt16], body: [UInt8], key: TSIGKey?, now: Int64
    ) throws(DNSUpdateError) {
        let start = ([id, opcode.rawValue << 11] + counts).flatMap(\.bigEndianBytes)
        let plain = start + UInt16(0).bigEndianBytes + body
        if let key {
            var signature = TSIGRecord(key: key, id: id, now: now)
            signature.mac = key.mac(of: plain + signature.variables)
            bytes = start + UInt16(1).bigEndianBytes + body + signature.wire
            mac = signature.mac
        } else {
            bytes = plain
            mac = []
        }
        guard bytes.count <= UInt16.max else { throw .tooLarge }
        self.id = id
        self.opcode = opcode
        self.key = key
    }

    /// The answer, which nobody but the server can have written. It may be that there is no such name.
    ///
    /// Without a key, anybody on the way can have written it.
    /// - Throws: Also every other refusal.
    func answer(_ message: [UInt8], now: Int64) throws(DNSUpdateError) -> Answer {
        let answer: Answer
        do throws(AnswerFault) {
            answer = try Answer(message, opcode: opcode)
        } catch {
            throw .malformedAnswer(error)
        }
        guard answer.id == id else { throw .otherAnswer }
        if let key { try verify(answer, key, now) }
        if let refusal = answer.refusal, refusal != .noSuchName { throw .refused(refusal) }
        return answer
    }

    /// RFC 8945, section 5.4.
    private func verify(_ answer: Answer, _ key: TSIGKey, _ now: Int64) throws(DNSUpdateError) {
        guard let signature = answer.signature else {
            // A refusal fails the request whoever wrote it, so it may as well tell the operator what to look for.
            if let refusal = answer.refusal, refusal != .noSuchName { throw .refused(refusal) }
            throw .unsignedAnswer
        }
        let keyRefusal = KeyRefusal(rawValue: signature.error)
        // A server that does not share the key cannot sign (RFC 8945, section 5.3.2).
        if let keyRefusal, signature.mac.isEmpty, answer.refusal != nil { throw .keyRefused(keyRefusal) }
        guard signature.keyName == key.name, signature.algorithm == key.algorithm.name, signature.originalID == id
        else { throw .otherKey }
        let signed = UInt16(mac.count).bigEndianBytes + mac + answer.signed + signature.variables
        guard key.isValid(signature.mac, of: signed) else { throw .forgedAnswer }

        if let keyRefusal { throw .keyRefused(keyRefusal) }
        let skew = signature.skew(from: now)
        guard skew.magnitude <= signature.fudge else { throw .staleAnswer(seconds: skew) }
    }
}

/// What a server has against a signature (RFC 8945, section 3).
package enum KeyRefusal: UInt16, Equatable, Sendable {
    case badSignature = 16
    case unknownKey = 17
    case badTime = 18
    case badTruncation = 22
}
