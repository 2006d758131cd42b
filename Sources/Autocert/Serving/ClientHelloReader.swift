package import NIOCore

/// Puts a `ClientHello` together from the records that carry it (RFC 8446 section 5.1), in however many pieces they come.
///
/// Each byte is looked at once, so that a client gains nothing from sending them one by one.
package struct ClientHelloReader: Sendable {
    /// Key shares of X25519MLKEM768 make a hello of about 1.8 KB; nobody needs this much.
    package static let limit = 65_536

    /// All that was taken so far, for whoever does the handshake.
    package private(set) var received = ByteBuffer()
    private var message = ByteBuffer()
    private var nextRecord = 0

    package init() {}

    /// The hello, once its last byte has come.
    package mutating func take(_ bytes: ByteBuffer) throws(ClientHello.Flaw) -> ClientHello? {
        received.writeImmutableBuffer(bytes)
        while let fragment = try fragment() {
            message.writeImmutableBuffer(fragment)
            guard let header = message.getInteger(at: 0, as: UInt32.self) else { continue }
            let length = Int(header & 0xFF_FFFF)
            guard header >> 24 == 1, length <= Self.limit else { throw .malformed }
            if let content = message.getSlice(at: 4, length: length) { return try ClientHello(content) }
        }
        guard received.readableBytes <= Self.limit else { throw .malformed }
        return nil
    }

    /// The content of the next record, if all of it is there.
    private mutating func fragment() throws(ClientHello.Flaw) -> ByteBuffer? {
        guard let type = received.getInteger(at: nextRecord, as: UInt8.self) else { return nil }
        guard type == 22 else { throw nextRecord == 0 ? .notTLS : .malformed }
        guard let major = received.getInteger(at: nextRecord + 1, as: UInt8.self) else { return nil }
        guard major == 3 else { throw nextRecord == 0 ? .notTLS : .malformed }
        guard let length = received.getInteger(at: nextRecord + 3, as: UInt16.self) else { return nil }
        guard 1...16_384 ~= length else { throw .malformed }
        guard let fragment = received.getSlice(at: nextRecord + 5, length: Int(length)) else { return nil }
        nextRecord += 5 + Int(length)
        return fragment
    }
}
