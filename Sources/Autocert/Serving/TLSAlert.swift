/// The alert that rejects a handshake (RFC 8446 section 6.2).
package enum TLSAlert: UInt8, Sendable {
    case decodeError = 50
    case internalError = 80
    case unrecognizedName = 112
    case noApplicationProtocol = 120

    /// The encoded record: alert, TLS 1.2, two bytes; fatal.
    var record: [UInt8] { [21, 3, 3, 0, 2, 2, rawValue] }
}
