/// A message that asks a server to change a zone (RFC 2136, section 2), signed when there is a key.
///
/// The server does all of it or nothing (RFC 2136, section 3.4.2).
package struct UpdateRequest: Sendable {
    private static let startOfAuthority: UInt16 = 6

    private let request: SignedRequest

    /// As it goes over the wire, without the length that TCP wants in front.
    package var bytes: [UInt8] { request.bytes }

    /// - Throws: `outsideZone`, which the server would say less clearly, or `tooLarge`.
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

    /// Returns when the server has done what was asked, and nobody else can have said so.
    ///
    /// Without a key, anybody on the way can have said so.
    package func verify(_ message: [UInt8], now: Int64) throws(DNSUpdateError) {
        if let refusal = try request.answer(message, now: now).refusal { throw .refused(refusal) }
    }
}
