import Crypto
import Encoding
import HTTPTypes
import Hummingbird
import NIOCore

/// An asset as it is sent: compressed once, with its entity tags and headers.
struct ServedAsset: Sendable {
    /// How long browsers keep it (RFC 9111, RFC 8246).
    enum Caching: String {
        /// The URL changes with the content.
        case immutable = "public, max-age=31536000, immutable"
        /// Validated by its entity tag at each use.
        case revalidated = "no-cache"
    }

    let path: String
    private let plain: Representation
    private let compressed: Representation?

    /// One encoding of the content. Each has its own entity tag (RFC 9110 section 8.8.3).
    private struct Representation: Sendable {
        let body: ByteBuffer
        let tag: String
        let headers: HTTPFields
    }

    /// `policy`: Of a page. What is no page gets the server's standard policy, which allows nothing.
    init(
        path: String, mediaType: String, bytes: [UInt8], caching: Caching, policy: ContentSecurityPolicy? = nil
    ) {
        self.path = path
        let hash = Hexadecimal.encode(SHA256.hash(data: bytes).prefix(16))
        var headers: HTTPFields = [
            .contentType: mediaType, .cacheControl: caching.rawValue, .vary: "Accept-Encoding",
        ]
        if let policy { headers[.contentSecurityPolicy] = policy.description }
        func representation(_ bytes: [UInt8], tag: String, encoding: String?) -> Representation {
            var headers = headers
            headers[.eTag] = tag
            if let encoding { headers[.contentEncoding] = encoding }
            return Representation(body: ByteBuffer(bytes: bytes), tag: tag, headers: headers)
        }
        plain = representation(bytes, tag: "\"\(hash)\"", encoding: nil)
        compressed = Gzip.compress(bytes).map { representation($0, tag: "\"\(hash)-gzip\"", encoding: "gzip") }
    }

    func response(to request: Request) -> Response {
        let best = compressed.flatMap { Self.acceptsGzip(request.headers) ? $0 : nil } ?? plain
        if Self.isKnown(best.tag, request.headers) {
            var headers = best.headers
            headers[.contentType] = nil
            headers[.contentEncoding] = nil
            return Response(status: .notModified, headers: headers)
        }
        return Response(status: .ok, headers: best.headers, body: .init(byteBuffer: best.body))
    }

    /// Whether `Accept-Encoding` allows gzip (RFC 9110 section 12.5.3).
    private static func acceptsGzip(_ headers: HTTPFields) -> Bool {
        headers[values: .acceptEncoding].joined(separator: ",").split(separator: ",").contains { element in
            let parts = element.lowercased().split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" } }
            guard let coding = parts.first, coding == "gzip" || coding == "x-gzip" else { return false }
            let quality = parts.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 }
            return quality ?? 1 > 0
        }
    }

    /// Whether `If-None-Match` has the entity tag, by weak comparison (RFC 9110 section 13.1.2).
    private static func isKnown(_ tag: String, _ headers: HTTPFields) -> Bool {
        headers[values: .ifNoneMatch].joined(separator: ",").split(separator: ",").contains { element in
            let known = element.drop { $0 == " " || $0 == "\t" }
            let bare = known.hasPrefix("W/") ? known.dropFirst(2) : known
            return bare == tag || bare == "*"
        }
    }
}
