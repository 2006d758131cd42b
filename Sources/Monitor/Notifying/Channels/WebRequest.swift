import Encoding
import FoundationEssentials

/// A request to a channel's service, as a value.
package struct WebRequest: Equatable, Sendable {
    package struct Header: Equatable, Sendable {
        package let name: String
        package let value: String
    }

    /// Always sent by POST. May contain a token.
    package let url: Secret
    package let headers: [Header]
    package let body: [UInt8]
    /// Secrets to remove from quoted responses and library errors.
    let secrets: [Secret]

    init(
        to url: Secret, contentType: String = "application/json", headers: [Header] = [], body: [UInt8],
        secrets: [Secret] = []
    ) {
        self.url = url
        self.headers = [Header(name: "Content-Type", value: contentType)] + headers
        self.body = body
        let path = WebAddress(url.exposed)?.path ?? ""
        let parts = path.split { "/?&=".contains($0) }.filter { $0.count >= 8 }
        self.secrets = [url, Secret(path)] + parts.map { Secret(String($0)) } + secrets
    }

    /// Encodes with sorted keys and without escaped slashes, so that the same message gives the same bytes.
    static func json(_ body: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // The bodies contain only strings, integers and arrays, which always encode.
        return (try? encoder.encode(body)).map { Array($0) } ?? Array("{}".utf8)
    }
}

package struct WebResponse: Equatable, Sendable {
    package let status: Int
    /// The `Retry-After` header, unparsed.
    package let retryAfter: String?
    /// The beginning of the body.
    package let body: [UInt8]

    package init(status: Int, retryAfter: String? = nil, body: [UInt8] = []) {
        self.status = status
        self.retryAfter = retryAfter
        self.body = body
    }

    /// `Retry-After` in seconds, in either form of RFC 9110 section 10.2.3. `now` is Unix milliseconds.
    func retryAfter(now: Int64) -> Double? {
        guard let text = retryAfter?.trimmed else { return nil }
        if let seconds = Double(text) { return seconds.isFinite ? max(0, seconds) : nil }
        return HTTPDate.seconds(text).map { max(0, Double($0) - Double(now) / 1_000) }
    }
}

/// The network interface of all channels except e-mail.
package typealias WebSend = @Sendable (WebRequest) async throws -> WebResponse
