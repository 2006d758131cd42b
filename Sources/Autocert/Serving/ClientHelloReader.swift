package import NIOCore

/// Assembles a `ClientHello` from TLS records (RFC 8446 section 5.1), which may arrive in any number of pieces.
///
/// Each byte is parsed once, so that sending single bytes costs the server nothing extra.
package struct ClientHelloReader: Sendable {
    /// Largest accepted hello in bytes. One with an X25519MLKEM768 key share has about 1.8 KB.
    package static let limit = 65_536

    /// All bytes received so far, to be passed on to the TLS handler.
    package private(set) var received = ByteBuffer()
    private var message = ByteBuffer()
    private var nextRecord = 0

    package init() {}

    /// Appends bytes. Returns the hello once its last byte has arrived.
    package mutating func append(_ bytes: ByteBuffer) throws(ClientHello.ParseError) -> ClientHello? {
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

    /// The content of the next record, if it is complete.
    private mutating func fragment() throws(ClientHello.ParseError) -> ByteBuffer? {
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
