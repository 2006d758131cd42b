/// A problem document (RFC 9457). `type` is a relative reference whose last segment never changes its meaning.
package struct Problem: Codable, Error, Equatable, Sendable {
    package static let mediaType = "application/problem+json"

    package var type: String
    package var title: String
    package var status: Int
    /// The explanation and what to do.
    package var detail: String?
    /// Seconds until the next attempt.
    package var retryAfter: Int?
    /// The current version, when `If-Match` was stale.
    package var version: Int?
    /// The fields that require new envelopes.
    package var fields: [String]?
    /// The member of the request that is invalid.
    package var member: String?
    /// The request's id in the node's log.
    package var requestId: String?

    package init(
        _ code: ProblemCode, status: Int, title: String, detail: String? = nil, retryAfter: Int? = nil,
        version: Int? = nil, fields: [String]? = nil, member: String? = nil
    ) {
        self.init(
            named: code.rawValue, status: status, title: title, detail: detail, retryAfter: retryAfter,
            version: version, fields: fields, member: member)
    }

    /// `name`: The problem name of a server other than a node.
    package init(
        named name: String, status: Int, title: String, detail: String? = nil, retryAfter: Int? = nil,
        version: Int? = nil,
        fields: [String]? = nil, member: String? = nil
    ) {
        type = Self.prefix + name
        self.title = title
        self.status = status
        self.detail = detail
        self.retryAfter = retryAfter
        self.version = version
        self.fields = fields
        self.member = member
    }

    /// The stable name of the problem, such as `changed-since`.
    package var name: String { type.hasPrefix(Self.prefix) ? String(type.dropFirst(Self.prefix.count)) : type }

    /// The code; nil for a problem of a newer node.
    package var code: ProblemCode? { ProblemCode(rawValue: name) }

    package static let prefix = "/problems/"
}
