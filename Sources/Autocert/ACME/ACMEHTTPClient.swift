import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Outbound

/// HTTPS client for a CA, with limits on redirects, response time and response size.
package struct ACMEHTTPClient: Sendable {
    private let client: HTTPClient
    /// Largest response in bytes. A chain has a few thousand.
    private static let maximumBytes = 1 << 18
    private static let timeout = TimeAmount.seconds(30)

    /// `trustedPEM`: Certificates to trust instead of the system's, for a private CA.
    package init(trustedPEM: [UInt8]?) throws {
        client = HTTPClient(
            eventLoopGroupProvider: .singleton,
            configuration: try .outbound(trusting: TrustRoots(pem: trustedPEM), read: .seconds(20)))
    }

    package func shutdown() async throws { try await client.shutdown() }

    package func send(_ request: ACMERequest) async throws(ACMEError) -> ACMEResponse {
        guard request.url.hasPrefix("https://") else {
            throw .malformed("URL", "\(request.url) does not use https")
        }
        do {
            var outgoing = HTTPClientRequest(url: request.url)
            outgoing.method = .init(rawValue: request.method.rawValue)
            outgoing.headers.add(name: "User-Agent", value: "clavitor-autocert")
            if let body = request.body {
                outgoing.headers.add(name: "Content-Type", value: "application/jose+json")
                outgoing.body = .bytes(body)
            }
            let response = try await client.execute(outgoing, timeout: Self.timeout)
            let bytes = try await response.body.collect(upTo: Self.maximumBytes)
            return ACMEResponse(
                status: Int(response.status.code),
                headers: response.headers.map { (name: $0.name.lowercased(), value: $0.value) },
                body: Array(bytes.readableBytesView))
        } catch is NIOTooManyBytesError {
            throw .malformed("response", "it is longer than \(Self.maximumBytes) bytes")
        } catch {
            throw .unreachable("\(request.url): \(TransportFault(error))")
        }
    }
}
