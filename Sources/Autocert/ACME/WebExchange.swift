import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1
import NIOSSL
import Outbound

/// A request to a CA. The one seam to the network: the client takes a closure from these to answers.
package struct WebRequest: Equatable, Sendable {
    package enum Method: String, Sendable { case get = "GET", head = "HEAD", post = "POST" }

    package let method: Method
    package let url: String
    /// Sent as `application/jose+json` (RFC 8555 section 6.2).
    package let body: [UInt8]?

    init(_ method: Method, _ url: String, body: [UInt8]? = nil) {
        self.method = method
        self.url = url
        self.body = body
    }
}

package struct WebAnswer: Sendable {
    package let status: Int
    /// Names in lower case.
    package let headers: [(name: String, value: String)]
    package let body: [UInt8]

    package init(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }

    /// The media type without its parameters.
    var mediaType: String? {
        header("content-type").map { String($0.prefix { $0 != ";" }).lowercased().filter { $0 != " " } }
    }

    /// `Retry-After` in either of its forms (RFC 9110 section 10.2.3), no further away than a day.
    func retryAfter(from now: Date) -> Date? {
        guard let text = header("retry-after") else { return nil }
        let date = Double(text).map { now.addingTimeInterval(max(0, $0)) } ?? httpDate(text)
        return date.map { min($0, now.addingTimeInterval(86_400)) }
    }

    /// Targets of `Link` headers with a relation (RFC 8288).
    func links(_ relation: String) -> [String] {
        headers.filter { $0.name == "link" && $0.value.contains("rel=\"\(relation)\"") }.compactMap { link in
            guard let start = link.value.firstIndex(of: "<"), let end = link.value.firstIndex(of: ">"), start < end
            else { return nil }
            return String(link.value[link.value.index(after: start)..<end])
        }
    }
}

package typealias WebSend = @Sendable (WebRequest) async throws(ACMEError) -> WebAnswer

/// HTTPS to a CA, with bounds on everything that the other side decides.
package struct WebClient: Sendable {
    private let client: HTTPClient
    /// Bytes of an answer. A chain has some thousand.
    private static let most = 1 << 18
    private static let patience = TimeAmount.seconds(30)

    /// `trustedPEM`: Certificates to trust instead of the system's, for a CA of one's own.
    package init(trustedPEM: [UInt8]?) throws {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.timeout = .init(connect: .seconds(10), read: .seconds(20))
        var tls = TLSConfiguration.makeClientConfiguration()
        if let trustedPEM { tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(trustedPEM)) }
        configuration.tlsConfiguration = tls
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    package func shutdown() async throws { try await client.shutdown() }

    package func send(_ request: WebRequest) async throws(ACMEError) -> WebAnswer {
        guard request.url.hasPrefix("https://") else {
            throw .malformed("address", "\(request.url) is not https")
        }
        do {
            var outgoing = HTTPClientRequest(url: request.url)
            outgoing.method = .init(rawValue: request.method.rawValue)
            outgoing.headers.add(name: "User-Agent", value: "clavitor-autocert")
            if let body = request.body {
                outgoing.headers.add(name: "Content-Type", value: "application/jose+json")
                outgoing.body = .bytes(body)
            }
            let answer = try await client.execute(outgoing, timeout: Self.patience)
            let bytes = try await answer.body.collect(upTo: Self.most)
            return WebAnswer(
                status: Int(answer.status.code),
                headers: answer.headers.map { (name: $0.name.lowercased(), value: $0.value) },
                body: Array(bytes.readableBytesView))
        } catch is NIOTooManyBytesError {
            throw .malformed("answer", "it is longer than \(Self.most) bytes")
        } catch {
            throw .unreachable("\(request.url): \(TransportFault(error))")
        }
    }
}
