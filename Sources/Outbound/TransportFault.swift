import AsyncHTTPClient
import NIOCore
import NIOPosix
import NIOSSL

/// Why there was no answer to a request over the network, in words for people.
///
/// What libraries say is not passed on: it may hold what was sent, and it holds the paths that they were built at.
package enum TransportFault: Error, Equatable, Sendable, CustomStringConvertible {
    /// Somebody was there, with a certificate for another name.
    case otherName
    /// Somebody was there, with a certificate that is not trusted here.
    case untrusted
    case handshake
    case noAnswerInTime
    /// In the system's words, or by the name of the error's type.
    case other(String)

    package init(_ error: any Error) {
        self =
            switch error {
            case let error as TransportFault: error
            case let error as NIOSSLExtraError where error == .failedToValidateHostname: .otherName
            case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError:
                "\(error)".contains("CERTIFICATE_VERIFY_FAILED") ? .untrusted : .handshake
            case let error as HTTPClientError
            where [.deadlineExceeded, .connectTimeout, .readTimeout].contains(error):
                .noAnswerInTime
            case ChannelError.connectTimeout: .noAnswerInTime
            case let error as HTTPClientError: .other(error.shortDescription)
            case let error as NIOConnectionError: Self.reason(of: error)
            default: .other(Self.word(in: error))
            }
    }

    /// Whether somebody was there, and it is the certificate that was wrong.
    package var isAboutTheCertificate: Bool { self == .otherName || self == .untrusted }

    package var description: String {
        switch self {
        case .otherName: "its certificate is for another name"
        case .untrusted: "its certificate is not trusted"
        case .handshake: "the TLS handshake failed"
        case .noAnswerInTime: "no answer in time"
        case .other(let reason): reason
        }
    }

    /// Of several addresses the first says most.
    private static func reason(of error: NIOConnectionError) -> TransportFault {
        if let first = error.connectionErrors.first { return TransportFault(first.error) }
        return .other(error.dnsAError == nil && error.dnsAAAAError == nil ? "no address" : "unknown host")
    }

    /// The system's words, out of an error of a module that this one does not import.
    private static func word(in error: any Error) -> String {
        let known = [
            "Connection refused", "No route to host", "Network is unreachable", "Connection reset", "unknown host",
            "Operation timed out",
        ]
        return known.first(where: "\(error)".contains) ?? "\(type(of: error))"
    }
}
