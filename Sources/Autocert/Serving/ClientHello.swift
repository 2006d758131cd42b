import NIOCore

/// The parts of a TLS ClientHello (RFC 8446 section 4.1.2) that decide which certificate is served.
package struct ClientHello: Equatable, Sendable {
    /// From server_name (RFC 6066 section 3), in lower case.
    package let serverName: String?
    /// From application_layer_protocol_negotiation (RFC 7301), in the order of the client's preference.
    package let protocols: [String]

    package enum ParseError: Error, Equatable, Sendable, CustomStringConvertible {
        case notTLS, malformed

        package var description: String {
            switch self {
            case .notTLS: "The client does not speak TLS: use https:// in the address."
            case .malformed: "The ClientHello is malformed: use a client that conforms to RFC 8446."
            }
        }
    }

    /// Parses the message after its four bytes of type and length.
    init(_ message: ByteBuffer) throws(ParseError) {
        var rest = message
        guard rest.readSlice(length: 2 + 32) != nil,  // legacy_version, random
            rest.readLengthPrefixedSlice(as: UInt8.self) != nil,  // legacy_session_id
            rest.readLengthPrefixedSlice(as: UInt16.self) != nil,  // cipher_suites
            rest.readLengthPrefixedSlice(as: UInt8.self) != nil  // legacy_compression_methods
        else { throw .malformed }

        var serverName: String?
        var protocols: [String] = []
        // TLS 1.2 lets a client omit the extensions and their length.
        if rest.readableBytes > 0 {
            guard var extensions = rest.readLengthPrefixedSlice(as: UInt16.self), rest.readableBytes == 0 else {
                throw .malformed
            }
            var seen: Set<UInt16> = []
            while extensions.readableBytes > 0 {
                guard let type = extensions.readInteger(as: UInt16.self), seen.insert(type).inserted,
                    let content = extensions.readLengthPrefixedSlice(as: UInt16.self)
                else { throw .malformed }
                switch type {
                case 0: serverName = try Self.hostName(content)
                case 16: protocols = try Self.protocols(content)
                default: break
                }
            }
        }
        self.serverName = serverName
        self.protocols = protocols
    }

    /// Parses a list with one entry of type host_name: no other type was ever defined.
    private static func hostName(_ content: ByteBuffer) throws(ParseError) -> String {
        var content = content
        guard var list = content.readLengthPrefixedSlice(as: UInt16.self), content.readableBytes == 0,
            list.readInteger(as: UInt8.self) == 0,
            let name = list.readLengthPrefixedSlice(as: UInt16.self), list.readableBytes == 0,
            1...255 ~= name.readableBytes, name.readableBytesView.allSatisfy({ 0x21...0x7E ~= $0 })
        else { throw .malformed }
        return String(buffer: name).lowercased()
    }

    private static func protocols(_ content: ByteBuffer) throws(ParseError) -> [String] {
        var content = content
        guard var list = content.readLengthPrefixedSlice(as: UInt16.self), content.readableBytes == 0,
            list.readableBytes > 0
        else { throw .malformed }
        var protocols: [String] = []
        while list.readableBytes > 0 {
            guard let name = list.readLengthPrefixedSlice(as: UInt8.self), name.readableBytes > 0 else {
                throw .malformed
            }
            // Names are bytes; those that are not UTF-8 (RFC 8701 sends such) become names that match nothing.
            protocols.append(String(buffer: name))
        }
        return protocols
    }
}
