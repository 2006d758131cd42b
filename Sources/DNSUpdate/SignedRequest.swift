/// The kind of a request (RFC 1035, section 4.1.1; RFC 2136, section 1.3).
enum Opcode: UInt16 {
    case query = 0
    case update = 5
}

/// A request, signed if there is a key, and the verification of its response (RFC 8945).
struct SignedRequest {
    /// The encoded message, without the length prefix of TCP.
    let bytes: [UInt8]
    private let id: UInt16
    private let opcode: Opcode
    private let key: TSIGKey?
    private let mac: [UInt8]

    /// `counts` and `body` are those of the first three sections; the fourth has only the signature.
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

    /// Parses and authenticates the response, whose code may be `noSuchName`. Without a key it is not authenticated.
    ///
    /// - Throws: Also every other error code.
    func response(_ message: [UInt8], now: Int64) throws(DNSUpdateError) -> DNSResponse {
        let response: DNSResponse
        do throws(DNSResponseError) {
            response = try DNSResponse(message, opcode: opcode)
        } catch {
            throw .malformedResponse(error)
        }
        guard response.id == id else { throw .idMismatch }
        if let key { try verify(response, key, now) }
        if let errorCode = response.errorCode, errorCode != .noSuchName { throw .refused(errorCode) }
        return response
    }

    /// Verifies the signature (RFC 8945, section 5.4).
    private func verify(_ response: DNSResponse, _ key: TSIGKey, _ now: Int64) throws(DNSUpdateError) {
        guard let signature = response.signature else {
            // An unsigned error fails the request in any case, so its code may as well be reported to the operator.
            if let errorCode = response.errorCode, errorCode != .noSuchName { throw .refused(errorCode) }
            throw .unsignedResponse
        }
        let tsigError = TSIGError(rawValue: signature.error)
        // A server that does not share the key cannot sign (RFC 8945, section 5.3.2).
        if let tsigError, signature.mac.isEmpty, response.errorCode != nil { throw .tsigError(tsigError) }
        guard signature.keyName == key.name, signature.algorithm == key.algorithm.name, signature.originalID == id
        else { throw .keyMismatch }
        let signed = UInt16(mac.count).bigEndianBytes + mac + response.signed + signature.variables
        guard key.isValid(signature.mac, of: signed) else { throw .badSignature }

        if let tsigError { throw .tsigError(tsigError) }
        let skew = signature.skew(from: now)
        guard skew.magnitude <= signature.fudge else { throw .clockSkew(seconds: skew) }
    }
}

/// A TSIG error code (RFC 8945, section 3).
package enum TSIGError: UInt16, Equatable, Sendable {
    case badSignature = 16
    case unknownKey = 17
    case badTime = 18
    case badTruncation = 22
}
