/// A message that asks a server to change a zone (RFC 2136, section 2), signed when there is a key.
///
/// The server does all of it or nothing (RFC 2136, section 3.4.2).
package struct UpdateRequest: Sendable {
    static let opcode: UInt16 = 5
    private static let startOfAuthority: UInt16 = 6

    /// As it goes over the wire, without the length that TCP wants in front.
    package let bytes: [UInt8]
    private let id: UInt16
    private let key: TSIGKey?
    private let mac: [UInt8]

    /// - Throws: `outsideZone`, which the server would say less clearly, or `tooLarge`.
    package init(
        id: UInt16, zone: DNSName, changes: [DNSUpdater.Change], key: TSIGKey?, now: Int64
    ) throws(DNSUpdateError) {
        if let change = changes.first(where: { !$0.name.isWithin(zone) }) {
            throw .outsideZone(change.name, zone: zone)
        }
        guard let count = UInt16(exactly: changes.count) else { throw .tooLarge }
        // One zone, no prerequisites, the changes; what is additional comes last.
        let start = [id, Self.opcode << 11, 1, 0, count].flatMap(\.bigEndianBytes)
        let body =
            zone.wire + Self.startOfAuthority.bigEndianBytes + DNSClass.internet.rawValue.bigEndianBytes
            + changes.flatMap(\.wire)
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
        self.key = key
    }

    /// Returns when the server has done what was asked, and nobody else can have said so.
    ///
    /// Without a key, anybody on the way can have said so.
    package func verify(_ message: [UInt8], now: Int64) throws(DNSUpdateError) {
        let answer: UpdateAnswer
        do throws(AnswerFault) { answer = try UpdateAnswer(message) } catch { throw .malformedAnswer(error) }
        guard answer.id == id else { throw .otherAnswer }
        if let key { try verify(answer, key, now) }
        if let refusal = answer.refusal { throw .refused(refusal) }
    }

    /// RFC 8945, section 5.4.
    private func verify(_ answer: UpdateAnswer, _ key: TSIGKey, _ now: Int64) throws(DNSUpdateError) {
        guard let signature = answer.signature else {
            // A refusal fails the update whoever wrote it, so it may as well tell the operator what to look for.
            if let refusal = answer.refusal { throw .refused(refusal) }
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
