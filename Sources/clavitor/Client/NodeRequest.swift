import Encoding
import FoundationEssentials
import VaultFormat

/// One request to a node, before it has an address and a token.
struct NodeRequest {
    enum Method: String {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"
    }

    let method: Method
    /// Without the leading slash; every part is escaped.
    let path: [String]
    var query: [(name: String, value: String)] = []
    var body: (any Encodable)?
    /// The version that the write is meant for.
    var ifMatch: Int?
    /// Makes a repeated creation the same creation.
    var idempotencyKey: String?

    init(_ method: Method, _ path: String..., body: (any Encodable)? = nil, ifMatch: Int? = nil) {
        self.method = method
        self.path = path
        self.body = body
        self.ifMatch = ifMatch
    }

    /// The same under a key of its own, so that it can be sent again when an answer got lost.
    func once() -> NodeRequest {
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

    /// Whether sending it twice is sending it once.
    var isRepeatable: Bool { method == .get || idempotencyKey != nil }

    var target: String {
        let path =
            "/" + path.flatMap { $0.split(separator: "/") }.map { PercentEncoding.encode($0) }.joined(separator: "/")
        let query = query.map { "\($0.name)=\(PercentEncoding.encode($0.value))" }.joined(separator: "&")
        return query.isEmpty ? path : "\(path)?\(query)"
    }
}
