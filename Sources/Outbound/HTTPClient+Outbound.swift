package import AsyncHTTPClient
package import NIOCore
import NIOSSL

extension HTTPClient.Configuration {
    /// The settings of every client in our programs: full verification, no redirects (one would carry a token to a name that
    /// nobody has checked), and no retry behind the caller's back.
    ///
    /// - Throws: `TrustRootsError`.
    package static func outbound(
        trusting roots: TrustRoots, connect: TimeAmount = .seconds(10), read: TimeAmount = .seconds(10)
    ) throws(TrustRootsError) -> HTTPClient.Configuration {
        var configuration = outbound
        configuration.tlsConfiguration = try roots.tlsConfiguration()
        configuration.timeout = .init(connect: connect, read: read)
        return configuration
    }

    /// The same with the system's roots and ten seconds for each step.
    package static var outbound: HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: .makeClientConfiguration(), redirectConfiguration: .disallow,
            timeout: .init(connect: .seconds(10), read: .seconds(10)))
        configuration.connectionPool.retryConnectionEstablishment = false
        return configuration
    }
}

extension HTTPClientResponse.Body {
    /// The first bytes of the body; what follows is not read.
    package func prefix(_ limit: Int) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        for try await part in self {
            bytes += part.readableBytesView.prefix(limit - bytes.count)
            if bytes.count >= limit { break }
        }
        return bytes
    }
}
