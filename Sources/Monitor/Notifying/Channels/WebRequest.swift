import FoundationEssentials

/// A request to the service behind a channel, as a value.
package struct WebRequest: Equatable, Sendable {
    package struct Header: Equatable, Sendable {
        package let name: String
        package let value: String
    }

    /// Always sent by POST. May hold a token.
    package let url: Secret
    package let headers: [Header]
    package let body: [UInt8]
    /// What must not be repeated, whatever an answer or a library says.
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

    /// Sorted and without escaped slashes, so that the same message is the same bytes.
    static func json(_ body: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Strings, integers and arrays of them: nothing that JSON cannot say.
        return (try? encoder.encode(body)).map { Array($0) } ?? Array("{}".utf8)
    }
}

package struct WebAnswer: Equatable, Sendable {
    package let status: Int
    /// `Retry-After` as it stands there.
    package let retryAfter: String?
    /// Its beginning.
    package let body: [UInt8]

    package init(status: Int, retryAfter: String? = nil, body: [UInt8] = []) {
        self.status = status
        self.retryAfter = retryAfter
        self.body = body
    }

    /// Seconds, in either form of RFC 9110 section 10.2.3. `now` is Unix milliseconds.
    func patience(now: Int64) -> Double? {
        guard let text = retryAfter?.trimmed else { return nil }
        if let seconds = Double(text) { return seconds.isFinite ? max(0, seconds) : nil }
        return InternetDate.seconds(http: text).map { max(0, $0 - Double(now) / 1_000) }
    }
}

/// The one seam to the network for all channels but e-mail.
package typealias WebSend = @Sendable (WebRequest) async throws -> WebAnswer
