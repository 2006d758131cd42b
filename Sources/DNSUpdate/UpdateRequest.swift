/// A dynamic update of a zone (RFC 2136, section 2), signed if there is a key.
///
/// The server applies it atomically (RFC 2136, section 3.4.2).
package struct UpdateRequest: Sendable {
    private static let startOfAuthority: UInt16 = 6

    private let request: SignedRequest

    /// The encoded message, without the length prefix of TCP.
    package var bytes: [UInt8] { request.bytes }

    /// - Throws: `outsideZone`, for a clearer error than the server's, or `tooLarge`.
    package init(
        id: UInt16, zone: DNSName, changes: [DNSUpdater.Change], key: TSIGKey?, now: Int64
    ) throws(DNSUpdateError) {
        if let change = changes.first(where: { !$0.name.isWithin(zone) }) {
            throw .outsideZone(change.name, zone: zone)
        }
        guard let count = UInt16(exactly: changes.count) else { throw .tooLarge }
        let body =
            zone.wire + Self.startOfAuthority.bigEndianBytes + DNSClass.internet.rawValue.bigEndianBytes
            + changes.flatMap(\.wire)
        // One zone, no prerequisites, the changes.
        request = try SignedRequest(id: id, opcode: .update, counts: [1, 0, count], body: body, key: key, now: now)
    }

    /// Returns if the authenticated response confirms the update. Without a key the response is not authenticated.
    package func verify(_ message: [UInt8], now: Int64) throws(DNSUpdateError) {
        if let errorCode = try request.response(message, now: now).errorCode { throw .refused(errorCode) }
    }
}
