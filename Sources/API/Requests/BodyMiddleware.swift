import HTTPServing
import HTTPTypes
import Hummingbird
import NIOCore
import Vault
import VaultFormat
import Wire

/// Reads and validates a request body before the route handler: size, media type, JSON syntax and member names, as `Operation`
/// declares them.
///
/// Runs after authentication where a route needs it, so that an unauthenticated client never gets a tenant's limits.
struct BodyMiddleware<Context: BodyContext>: RouterMiddleware {
    let budget: BodyBudget
    /// The queue on which large bodies are parsed.
    let work: WorkQueue

    func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard let operation = Operation.find(request.method, context.endpointPath) else {
            // A test compares routes and operations.
            throw Problem(.internal, status: 500, title: "Internal error", detail: "The route has no operation.")
        }
        try Self.checkQuery(request, operation)
        // Before the body, which may be large: a principal of the wrong kind is denied whatever it sends.
        try operation.authorize(context.authenticated)
        var context = context
        context.work = work
        // A GET body has no semantics (RFC 9110, 9.3.1); it is not read, and the deadlines apply to it.
        if operation.request == nil, request.method == .get || request.method == .head {
            return try await next(request, context)
        }
        try Self.checkType(request.headers[.contentType])
        let contentLength = request.headers[.contentLength].flatMap { Int($0) }
        if let contentLength, contentLength > operation.limit { throw Problem.tooLarge(operation.limit) }
        do {
            return try await budget.read(request.body, upTo: operation.limit, for: context.bodyClient) { body in
                context.body = body
                // Without members to send, some clients send no body and some an empty object.
                if operation.request != nil || !body.isEmpty {
                    try await context.parsing {
                        try StrictJSON.check(
                            body, schema: operation.request ?? "Empty", maxValues: operation.maxValues)
                    }
                }
                return try await next(request, context)
            }
        } catch is NIOTooManyBytesError {
            throw Problem.tooLarge(operation.limit)
        }
    }

    private static func checkQuery(_ request: Request, _ operation: Operation) throws(Problem) {
        var names: Set<String> = []
        for name in request.uri.queryParameters.map({ String($0.key) }) {
            guard operation.query.contains(name) else { throw .unknown(name, known: operation.query) }
            guard names.insert(name).inserted else { throw .malformed(name, "must not be repeated") }
        }
    }

    /// A missing type is accepted: a page of another site cannot attach a token.
    private static func checkType(_ type: String?) throws(Problem) {
        guard let type else { return }
        let essence = type.prefix { $0 != ";" }.filter { !$0.isWhitespace }.lowercased()
        guard essence == "application/json" else {
            throw Problem(
                .unsupportedMediaType, status: 415, title: "Unsupported media type",
                detail: "Send Content-Type: application/json.")
        }
    }
}

/// A request context that carries the body.
protocol BodyContext: RequestContext {
    var body: [UInt8] { get set }
    var work: WorkQueue? { get set }
    /// The authenticated principal; nil before authentication.
    var authenticated: Principal? { get }
    /// The client whose share of the body budget the request uses.
    var bodyClient: BodyBudget.Client { get }
}

extension BodyContext {
    /// Parses the body: a large one on the work queue instead of the event loop, because four megabytes take some tenths of a
    /// second.
    func parsing<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
        guard self.body.count > BodyBudget.large, let work, let authenticated else { return try body() }
        return try await work.run(as: authenticated, isNonYielding: true) { try body() }
    }
}

extension Problem {
    static func unknown(_ member: String, known: [String]) -> Problem {
        .malformed(
            member,
            known.isEmpty ? "is unknown; there are none here" : "is unknown; known: \(known.joined(separator: ", "))")
    }

    static func tooLarge(_ limit: Int) -> Problem {
        Problem(
            .tooLarge, status: 413, title: "Too large", detail: "The body must not be longer than \(limit) bytes.")
    }

    /// Never received: the connection is closed.
    static let incompleteBody = Problem(.incompleteBody, status: 400, title: "Incomplete body")

    static let busy = Problem(
        .busy, status: 503, title: "Node is busy",
        detail: "Too many request bodies are in flight. Try again in a moment.",
        retryAfter: 2)
}
