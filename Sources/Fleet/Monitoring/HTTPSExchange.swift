import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOSSL

/// HTTPS to machines whose addresses the inventory knows: DNS is not asked, the certificate must be for the name.
package struct HTTPSExchange: Sendable {
    /// Of an answer, in bytes.
    private static let mostBody = 16 << 20

    private let client: HTTPClient

    /// Runs `body` with connections that are closed afterwards.
    ///
    /// - Parameters:
    ///   - addresses: By name.
    ///   - caFile: Certificates to trust instead of the system's, in PEM.
    ///   - body: What needs them.
    /// - Returns: What `body` returns.
    /// - Throws: When the file holds no certificates, and what `body` throws.
    package static func connected<Result>(
        addresses: [String: String], caFile: String?, _ body: (HTTPSExchange) async throws -> Result
    ) async throws -> Result {
        let exchange = try HTTPSExchange(addresses: addresses, caFile: caFile)
        do {
            let result = try await body(exchange)
            try await exchange.client.shutdown()
            return result
        } catch {
            try? await exchange.client.shutdown()
            throw error
        }
    }

    private init(addresses: [String: String], caFile: String?) throws {
        var tls = TLSConfiguration.makeClientConfiguration()
        if let caFile { tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(caFile)) }
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: tls, redirectConfiguration: .disallow,
            timeout: .init(connect: .seconds(5), read: .seconds(10)))
        configuration.dnsOverride = addresses
        configuration.httpVersion = .http1Only
        configuration.connectionPool.retryConnectionEstablishment = false
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    func send(
        _ request: HTTPClientRequest, within patience: TimeAmount = .seconds(15)
    ) async throws -> (status: Int, body: [UInt8]) {
        let answer = try await client.execute(request, timeout: patience)
        let body = try await answer.body.collect(upTo: Self.mostBody)
        return (Int(answer.status.code), Array(body.readableBytesView))
    }
}
