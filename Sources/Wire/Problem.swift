/// An error as clients see it (RFC 9457). `type` is a relative reference whose last part never changes its meaning.
package struct Problem: Codable, Error, Equatable, Sendable {
    package static let mediaType = "application/problem+json"

    package var type: String
    package var title: String
    package var status: Int
    /// What to do about it.
    package var detail: String?
    /// Seconds until another try is worth it.
    package var retryAfter: Int?
    /// The version that is current, when `If-Match` was stale.
    package var version: Int?
    /// The fields that need new envelopes.
    package var fields: [String]?
    /// The member of the request that was refused.
    package var member: String?
    /// Names the request in the node's log.
    package var requestId: String?

    package init(
        _ code: ProblemCode, status: Int, title: String, detail: String? = nil, retryAfter: Int? = nil,
        version: Int? = nil, fields: [String]? = nil, member: String? = nil
    ) {
        self.init(
            named: code.rawValue, status: status, title: title, detail: detail, retryAfter: retryAfter,
            version: version, fields: fields, member: member)
    }

    /// `name`: A problem that is the caller's own, of a server that is no node.
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

    /// Nil for one of a newer node.
    package var code: ProblemCode? { ProblemCode(rawValue: name) }

    package static let prefix = "/problems/"
}
