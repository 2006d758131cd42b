import Encoding
import FoundationEssentials

/// A request to a CA.
package struct ACMERequest: Equatable, Sendable {
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

/// A CA's HTTP response.
package struct ACMEResponse: Sendable {
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

    /// `Retry-After` in either form (RFC 9110 section 10.2.3), at most a day from now.
    func retryAfter(from now: Date) -> Date? {
        guard let text = header("retry-after") else { return nil }
        let date =
            Double(text).map { now.addingTimeInterval(max(0, $0)) }
            ?? HTTPDate.seconds(text).map { Date(timeIntervalSince1970: Double($0)) }
        return date.map { min($0, now.addingTimeInterval(86_400)) }
    }

    /// The targets of `Link` headers with this relation (RFC 8288).
    func links(_ relation: String) -> [String] {
        headers.filter { $0.name == "link" && $0.value.contains("rel=\"\(relation)\"") }.compactMap { link in
            guard let start = link.value.firstIndex(of: "<"), let end = link.value.firstIndex(of: ">"), start < end
            else { return nil }
            return String(link.value[link.value.index(after: start)..<end])
        }
    }
}

/// Sends a request to a CA: the only way in which this module reaches the network.
package typealias ACMETransport = @Sendable (ACMERequest) async throws(ACMEError) -> ACMEResponse
