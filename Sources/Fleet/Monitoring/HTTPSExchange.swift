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

    /// The system's words, out of an error of a module that this one does not import.
    private static let known = [
        "Connection refused", "No route to host", "Network is unreachable", "Connection reset", "Operation timed out",
    ]

    /// What is wrong with the certificate, if that is what it failed at: then somebody was there.
    static func certificateFault(_ error: any Error) -> String? {
        switch error {
        case let error as NIOSSLExtraError where error == .failedToValidateHostname:
            "its certificate is for another name"
        case is NIOSSLError, is BoringSSLError:
            "\(error)".contains("CERTIFICATE_VERIFY_FAILED") ? "its certificate is not trusted" : nil
        default: nil
        }
    }

    /// Words for people; no URL and no header is among them.
    static func reason(_ error: any Error) -> String {
        if let fault = certificateFault(error) { return fault }
        return switch error {
        case let error as HTTPClientError
        where [.deadlineExceeded, .connectTimeout, .readTimeout].contains(error):
            "no answer in time"
        case let error as HTTPClientError: error.shortDescription
        case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError: "the TLS handshake failed"
        default: known.first(where: "\(error)".contains) ?? "\(type(of: error))"
        }
    }
}
