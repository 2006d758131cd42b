/// A query for the addresses of a name in one family (RFC 1035, section 4.1), sent to the zone's authoritative server.
/// Signed if there is a key; the server then signs its response (RFC 8945, section 5.3).
package struct AddressQuery: Sendable {
    private let request: SignedRequest
    private let name: DNSName
    private let type: DNSUpdater.RecordType

    /// The encoded message, without the length prefix of TCP.
    package var bytes: [UInt8] { request.bytes }

    /// `type`: A or AAAA.
    package init(
        id: UInt16, name: DNSName, type: DNSUpdater.RecordType, key: TSIGKey?, now: Int64
    ) throws(DNSUpdateError) {
        let body = name.wire + type.rawValue.bigEndianBytes + DNSClass.internet.rawValue.bigEndianBytes
        request = try SignedRequest(id: id, opcode: .query, counts: [1, 0, 0], body: body, key: key, now: now)
        self.name = name
        self.type = type
    }

    /// - Returns: Nil when the name has no such record.
    package func read(_ message: [UInt8], now: Int64) throws(DNSUpdateError) -> DNSUpdater.Addresses? {
        let response = try request.response(message, now: now)
        // A resolver may return outdated records.
        guard response.isAuthoritative else { throw .notAuthoritative(name) }
        guard response.errorCode == nil else { return nil }
        var addresses: Set<[UInt8]> = []
        var ttl = UInt32.max
        for record in response.records where record.section == 0 {
            guard record.name == name, record.type == type.rawValue,
                record.dnsClass == DNSClass.internet.rawValue, record.data.count == (type == .aaaa ? 16 : 4)
            else { throw .alias(name) }
            addresses.insert(Array(record.data))
            ttl = min(ttl, record.ttl)
        }
        return addresses.isEmpty ? nil : DNSUpdater.Addresses(addresses: addresses, ttl: ttl)
    }
}

extension DNSUpdater {
    /// The addresses of one name in one family.
    package struct Addresses: Equatable, Sendable {
        /// 4 or 16 bytes each.
        package var addresses: Set<[UInt8]>
        /// Seconds; the shortest, if they differ.
        package var ttl: UInt32

        package init(addresses: Set<[UInt8]>, ttl: UInt32) {
            self.addresses = addresses
            self.ttl = ttl
        }
    }
}
