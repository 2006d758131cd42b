import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Outbound

/// HTTPS client for machines with addresses from the inventory: it does not use DNS, and the certificate must be valid for
/// the name.
package struct HTTPSExchange: Sendable {
    /// Largest response body in bytes.
    private static let maximumBody = 16 << 20

    private let client: HTTPClient

    /// Runs `body` with a client that is shut down afterwards.
    ///
    /// - Parameters:
    ///   - addresses: By name.
    ///   - caFile: Certificates to trust instead of the system's, in PEM.
    ///   - body: Uses the client.
    /// - Returns: The result of `body`.
    /// - Throws: If the file has no certificates, and errors of `body`.
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
        var configuration = try HTTPClient.Configuration.outbound(
            trusting: TrustRoots(file: caFile), connect: .seconds(5))
        configuration.dnsOverride = addresses
        configuration.httpVersion = .http1Only
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    func send(
        _ request: HTTPClientRequest, within timeout: TimeAmount = .seconds(15)
    ) async throws -> (status: Int, body: [UInt8]) {
        let response = try await client.execute(request, timeout: timeout)
        let body = try await response.body.collect(upTo: Self.maximumBody)
        return (Int(response.status.code), Array(body.readableBytesView))
    }
}
