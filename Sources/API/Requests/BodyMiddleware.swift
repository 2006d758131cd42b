import HTTPTypes
import Hummingbird
import NIOCore
import Vault
import VaultFormat
import Wire

/// Reads and checks a request's body before its route sees it: size, type, form and names, as `Operation` declares them.
///
/// Stands behind authentication where there is one, so that nobody unknown gets a tenant's limits.
struct BodyMiddleware<Context: BodyContext>: RouterMiddleware {
    let budget: BodyBudget
    /// Where large bodies are taken apart.
    let work: WorkQueue

    func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard let operation = Operation.find(request.method, context.endpointPath) else {
            // A test compares the two lists.
            throw Problem(.internal, status: 500, title: "Internal error", detail: "The route is not described.")
        }
        try Self.checkQuery(request, operation)
        // Before the body, which may be large: an agent cannot ask for this whatever it sends.
        try operation.admit(context.known)
        var context = context
        context.work = work
        // A body of a GET means nothing (RFC 9110, 9.3.1), and is left to the deadlines.
        if operation.request == nil, request.method == .get || request.method == .head {
            return try await next(request, context)
        }
        try Self.checkType(request.headers[.contentType])
        let announced = request.headers[.contentLength].flatMap { Int($0) }
        if let announced, announced > operation.limit { throw Problem.tooLarge(operation.limit) }
        do {
            return try await budget.read(request.body, upTo: operation.limit, for: context.bodySender) { body in
                context.body = body
                // Where there is nothing to say, some clients send nothing and some an object without members.
                if operation.request != nil || !body.isEmpty {
                    try await context.takingApart {
                        try StrictJSON.check(
                            body, schema: operation.request ?? "Nothing", mostValues: operation.mostValues)
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
            guard names.insert(name).inserted else { throw .malformed(name, "must not be given twice") }
        }
    }

    /// Absent is fine: no page of another site can send a token along.
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

/// A request's context that can carry its body.
protocol BodyContext: RequestContext {
    var body: [UInt8] { get set }
    var work: WorkQueue? { get set }
    /// Who sends, where it is known.
    var known: Principal? { get }
    /// Whose share of the memory for bodies it takes.
    var bodySender: BodyBudget.Sender { get }
}

extension BodyContext {
    /// Takes the body apart: a large one away from the event loops and in its sender's turn. One of four megabytes takes
    /// some tenths of a second.
    func takingApart<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
        guard self.body.count > BodyBudget.large, let work, let known else { return try body() }
        return try await work.run(as: known, isNonYielding: true) { try body() }
    }
}

extension Problem {
    static func unknown(_ member: String, known: [String]) -> Problem {
        .malformed(
            member,
            known.isEmpty ? "is not known here" : "is not known here; known are \(known.joined(separator: ", "))")
    }

    static func tooLarge(_ limit: Int) -> Problem {
        Problem(
            .tooLarge, status: 413, title: "Too large", detail: "The body must not be longer than \(limit) bytes.")
    }

    /// Nobody reads it: the connection is gone.
    static let incompleteBody = Problem(.incompleteBody, status: 400, title: "The body did not come to its end")

    static let busy = Problem(
        .busy, status: 503, title: "Node is busy", detail: "Too much is being sent at once. Try again in a moment.",
        retryAfter: 2)
}
