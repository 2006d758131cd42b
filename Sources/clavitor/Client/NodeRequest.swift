import Encoding
import FoundationEssentials
import VaultFormat

/// A request to a node, without address and token.
struct NodeRequest {
    enum Method: String {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"
    }

    let method: Method
    /// Path segments without the leading slash; they are percent-encoded when sent.
    let path: [String]
    var query: [(name: String, value: String)] = []
    var body: (any Encodable)?
    /// The version that the write expects.
    var ifMatch: Int?
    /// Makes a repeated creation idempotent.
    var idempotencyKey: String?

    init(_ method: Method, _ path: String..., body: (any Encodable)? = nil, ifMatch: Int? = nil) {
        self.method = method
        self.path = path
        self.body = body
        self.ifMatch = ifMatch
    }

    /// The request with a new idempotency key, so that it can be repeated if the response is lost.
    func idempotent() -> NodeRequest {
        var request = self
        request.idempotencyKey = EntryID.random().text
        return request
    }

    func with(_ name: String, _ value: (some CustomStringConvertible)?) -> NodeRequest {
        guard let value else { return self }
        var request = self
        request.query.append((name, value.description))
        return request
    }

    /// Whether the request can be repeated safely.
    var isRepeatable: Bool { method == .get || idempotencyKey != nil }

    var target: String {
        let path =
            "/" + path.flatMap { $0.split(separator: "/") }.map { PercentEncoding.encode($0) }.joined(separator: "/")
        let query = query.map { "\($0.name)=\(PercentEncoding.encode($0.value))" }.joined(separator: "&")
        return query.isEmpty ? path : "\(path)?\(query)"
    }
}
