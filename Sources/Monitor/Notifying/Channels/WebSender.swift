import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1
import Outbound

/// Sends requests to the channels' services over HTTPS, with limits on everything that the other side controls.
package struct WebSender: Sendable {
    private let client: HTTPClient
    /// Client for hosts behind the proxy; nil without a proxy.
    private let proxied: (client: HTTPClient, proxy: WebProxy)?
    /// Maximum bytes of a response. Only its beginning is of interest.
    private static let limit = 16_384
    private static let timeout = TimeAmount.seconds(10)

    /// - Parameters:
    ///   - trustedPEM: Certificates to trust instead of the system's, for private services.
    ///   - proxy: Proxy for hosts that do not bypass it.
    /// - Throws: When the certificates cannot be parsed.
    package init(trustedPEM: [UInt8]? = nil, proxy: WebProxy? = nil) throws {
        // The outbox retries and reports the error; the client would retry until its timeout.
        var configuration = try HTTPClient.Configuration.outbound(
            trusting: TrustRoots(pem: trustedPEM), connect: Self.timeout, read: Self.timeout)
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        proxied = proxy.map { proxy in
            configuration.proxy = .server(host: proxy.host, port: proxy.port, authorization: proxy.authorization)
            return (HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration), proxy)
        }
    }

    package func shutdown() async throws {
        try await client.shutdown()
        try await proxied?.client.shutdown()
    }

    private func client(for url: String) -> HTTPClient {
        guard let proxied, let host = WebAddress(url)?.host, proxied.proxy.serves(host) else { return client }
        return proxied.client
    }

    /// Whether the URL responds over HTTPS, with any status.
    package func isAnswered(_ url: String) async -> Bool {
        var request = HTTPClientRequest(url: url)
        request.headers.add(name: "User-Agent", value: "clavitor-monitor")
        // A new connection for each probe, so that it tests the present state.
        request.headers.add(name: "Connection", value: "close")
        return (try? await client(for: url).execute(request, timeout: .seconds(5))) != nil
    }

    package func send(_ request: WebRequest) async throws -> WebResponse {
        var outgoing = HTTPClientRequest(url: request.url.exposed)
        outgoing.method = .POST
        for header in request.headers { outgoing.headers.add(name: header.name, value: header.value) }
        outgoing.headers.add(name: "User-Agent", value: "clavitor-monitor")
        outgoing.body = .bytes(request.body)
        let response = try await client(for: request.url.exposed).execute(outgoing, timeout: Self.timeout)
        let body = try await response.body.prefix(Self.limit)
        return WebResponse(
            status: Int(response.status.code), retryAfter: response.headers.first(name: "Retry-After"), body: body)
    }
}
