import HTTPTypes
package import Hummingbird
package import Wire

extension Response {
    /// A problem document with the headers that belong to it: `Retry-After`, and the scheme to authenticate with.
    package init(_ problem: Problem) throws {
        try self.init(json: problem, status: HTTPResponse.Status(code: problem.status), type: Problem.mediaType)
        if let seconds = problem.retryAfter { headers[.retryAfter] = "\(seconds)" }
        if problem.status == 401 { headers[.wwwAuthenticate] = "Bearer" }
    }
}

extension Problem {
    /// The problem of a body that is JSON and not of the expected shape.
    package init(_ error: DecodingError) {
        switch error {
        case .keyNotFound(let key, let context):
            self = .malformed(Self.path(context.codingPath + [key]), "is required")
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            self = .malformed(Self.path(context.codingPath), "has the wrong type")
        case .dataCorrupted(let context):
            self = .malformed(Self.path(context.codingPath), "has an invalid value")
        @unknown default:
            self = .malformed("body", "has an invalid value")
        }
    }

    package static func malformed(_ member: String, _ why: String) -> Problem {
        Problem(.malformed, status: 400, title: "Malformed request", detail: "\(member) \(why).", member: member)
    }

    private static func path(_ keys: [any CodingKey]) -> String {
        keys.isEmpty ? "body" : keys.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".")
    }
}
