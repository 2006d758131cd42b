import HTTPServing
import Hummingbird
import NIOCore
import Wire

extension Request {
    /// Decodes the body.
    ///
    /// - Throws: A problem that names the missing or mistyped member.
    func json<Body: Decodable>(_: Body.Type = Body.self, in context: some RequestContext) async throws -> Body {
        let buffer = try await body.collect(upTo: context.maxUploadSize)
        return try JSONText.decode(Array(buffer.readableBytesView))
    }
}

extension RequestContext {
    func id() throws -> Int64 {
        guard let id = parameters.get("id", as: Int64.self) else { throw Problem.noSuch("number") }
        return id
    }
}

extension Problem {
    static let signIn = Problem(
        named: "sign-in", status: 401, title: "Sign in",
        detail: "POST /api/v1/login, or a bearer token of `clavitor-monitor token add`.")

    static func noSuch(_ what: String) -> Problem {
        Problem(named: "no-such-\(what)", status: 404, title: "No such \(what)")
    }

    static func malformed(_ detail: String) -> Problem {
        Problem(.malformed, status: 400, title: "Malformed request", detail: detail)
    }
}
