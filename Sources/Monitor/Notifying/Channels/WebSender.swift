import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1
import NIOSSL

/// HTTPS to the services behind channels, with bounds on everything that the other side decides.
package struct WebSender: Sendable {
    private let client: HTTPClient
    /// For hosts that are not reached directly; nil without a proxy.
    private let proxied: (client: HTTPClient, proxy: WebProxy)?
    /// Bytes of an answer. Only its beginning is of interest.
    private static let most = 16_384
    private static let patience = TimeAmount.seconds(10)

    /// - Parameters:
    ///   - trustedPEM: Certificates to trust instead of the system's, for services of one's own.
    ///   - proxy: Through which others are reached.
    /// - Throws: When the certificates are none.
    package init(trustedPEM: [UInt8]? = nil, proxy: WebProxy? = nil) throws {
        var configuration = HTTPClient.Configuration()
        // A redirect could lead anywhere, and would take the token with it.
        configuration.redirectConfiguration = .disallow
        configuration.timeout = .init(connect: Self.patience, read: Self.patience)
        // The outbox tries again, and says what was wrong; the client would try until its time was up.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.tlsConfiguration = try TLSConfiguration.client(trusting: trustedPEM)
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

    /// Whether anything answers there over HTTPS, whatever it says.
    package func isAnswered(_ url: String) async -> Bool {
        var request = HTTPClientRequest(url: url)
        request.headers.add(name: "User-Agent", value: "clavitor-monitor")
        // Each by a connection of its own, so that it is reached now.
        request.headers.add(name: "Connection", value: "close")
        return (try? await client(for: url).execute(request, timeout: .seconds(5))) != nil
    }

    package func send(_ request: WebRequest) async throws -> WebAnswer {
        var outgoing = HTTPClientRequest(url: request.url.exposed)
        outgoing.method = .POST
        for header in request.headers { outgoing.headers.add(name: header.name, value: header.value) }
        outgoing.headers.add(name: "User-Agent", value: "clavitor-monitor")
        outgoing.body = .bytes(request.body)
        let answer = try await client(for: request.url.exposed).execute(outgoing, timeout: Self.patience)
        var body: [UInt8] = []
        for try await part in answer.body where body.count < Self.most {
            body += part.readableBytesView.prefix(Self.most - body.count)
            if body.count == Self.most { break }
        }
        return WebAnswer(
            status: Int(answer.status.code), retryAfter: answer.headers.first(name: "Retry-After"), body: body)
    }
}

extension TLSConfiguration {
    /// Full verification, against the system's roots or against these alone.
    static func client(trusting pem: [UInt8]?) throws -> TLSConfiguration {
        var configuration = makeClientConfiguration()
        if let pem { configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(pem)) }
        return configuration
    }
}
