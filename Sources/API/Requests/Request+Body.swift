import FoundationEssentials
import HTTPServing
import HTTPTypes
import Hummingbird
import NIOCore
import Secrets
import Vault
import Wire

extension BodyContext {
    /// Decodes the body, which `BodyMiddleware` has already validated.
    func json<Body: Decodable & Sendable>(_: Body.Type = Body.self) async throws -> Body {
        try await parsing { [body] in try JSONText.decode(body) }
    }
}

extension Request {
    /// The version in `If-Match: "7"`.
    func expectedVersion() throws(Problem) -> Int {
        guard let text = headers[.ifMatch] else { throw .preconditionRequired }
        let bare =
            text.hasPrefix("\"") && text.hasSuffix("\"") && text.count > 2 ? text.dropFirst().dropLast() : text[...]
        guard let version = Int(bare), version > 0 else {
            throw Problem(
                .malformed, status: 400, title: "Malformed request",
                detail: "If-Match must be a version, such as \"3\".")
        }
        return version
    }

    /// The pagination parameters `?cursor=…&limit=…`.
    func page() throws(Problem) -> (cursor: String?, limit: Int) {
        (uri.queryParameters.get("cursor"), try RequestLimits.page(uri.queryParameters.get("limit")))
    }
}

extension RequestLimits {
    static func page(_ text: String?) throws(Problem) -> Int {
        guard let text else { return standardPage }
        guard let limit = Int(text) else { throw .malformed("limit", "must be an integer from 1 to \(page)") }
        return try check(limit)
    }

    static func check(_ limit: Int) throws(Problem) -> Int {
        guard (1...page).contains(limit) else { throw .malformed("limit", "must be an integer from 1 to \(page)") }
        return limit
    }
}

extension SignedInContext {
    /// Runs `body` on the work queue, away from the event loops.
    ///
    /// `isCommitted`: The change is already committed, so the queue must not reject the rest.
    fileprivate func onWorkQueue<R: Sendable>(
        isCommitted: Bool = false, _ body: @escaping @Sendable () async throws -> R
    ) async throws -> R {
        guard let work else { return try await body() }
        return isCommitted ? try await work.finish(for: principal, body) : try await work.run(as: principal, body)
    }
}

extension Response {
    /// A JSON response that may be large: read and encoded as one piece of work on the work queue.
    static func large(
        for context: SignedInContext, _ body: @escaping @Sendable () async throws -> some Encodable & SendableMetatype
    ) async throws -> Response {
        try await context.onWorkQueue { try Response(json: try await body()) }
    }

    /// The same after a committed change: the work queue does not reject it.
    static func committed(
        for context: SignedInContext, _ body: @escaping @Sendable () async throws -> some Encodable & SendableMetatype
    ) async throws -> Response {
        try await context.onWorkQueue(isCommitted: true) { try Response(json: try await body()) }
    }

    /// An entry with its version as the ETag for `If-Match`. Encoded on the work queue, because notes may be large.
    static func entry(
        status: HTTPResponse.Status = .ok, for context: SignedInContext,
        _ body: @escaping @Sendable () async throws -> EntryBody
    ) async throws -> Response {
        try await context.onWorkQueue {
            let entry = try await body()
            var response = try Response(json: entry, status: status)
            response.headers[.eTag] = "\"\(entry.version)\""
            return response
        }
    }
}
