import Auth
import HTTPTypes
import Hummingbird
import Logging
import NIOHTTP1
import Vault
import VaultFormat
import Wire

/// The one place where an error becomes a response, and where every response gets its headers and its log line.
///
/// Logs carry the route's template and never its values, nor a query, nor a body.
struct AnswerMiddleware: RouterMiddleware {
    typealias Context = NodeContext

    let counters: RequestCounters
    /// Told about rows that no node wrote, and about errors that may be the disk's.
    let onFault: @Sendable (any Error) -> Void

    func handle(
        _ request: Request, context: NodeContext, next: @concurrent (Request, NodeContext) async throws -> Response
    ) async throws -> Response {
        let began = ContinuousClock.now
        var response: Response
        do {
            try Self.checkHost(request, context)
            response = try await next(request, context)
        } catch {
            response = try answer(to: error, request, context)
            if request.method == .head { response = response.createHeadResponse() }
        }
        for field in Self.headers { response.headers.append(field) }
        response.headers.append(HTTPField(name: .xRequestID, value: context.requestID))
        counters.count(status: response.status.code, took: ContinuousClock.now - began)
        context.logger.debug(
            "answered",
            metadata: [
                "method": "\(request.method)", "route": "\(context.endpointPath ?? "-")",
                "status": "\(response.status.code)",
            ])
        return response
    }

    /// RFC 9112 section 3.2: one `Host`, no more and no less. In HTTP/2 it may stand beside `:authority` if it is the same.
    private static func checkHost(_ request: Request, _ context: NodeContext) throws(Problem) {
        let others = request.headers[values: .host]
        let isOne = context.isHTTP2 ? others.allSatisfy { $0 == request.head.authority } : others.isEmpty
        guard request.head.authority?.isEmpty == false, isOne else {
            throw .malformed("Host", "must be there once")
        }
    }

    private func answer(to error: any Error, _ request: Request, _ context: NodeContext) throws -> Response {
        var problem = problem(for: error, request, context)
        problem.requestId = context.requestID
        var response = try Response(
            problem, status: HTTPResponse.Status(code: problem.status), type: Problem.mediaType)
        if let seconds = problem.retryAfter { response.headers[.retryAfter] = "\(seconds)" }
        if problem.status == 401 { response.headers[.wwwAuthenticate] = "Bearer" }
        if problem.status == 405 {
            response.headers[.allow] = Operation.methods(of: request.uri.path).joined(separator: ", ")
        }
        // What follows on the connection cannot be told from the rest of this request.
        if error is HTTPParserError, !context.isHTTP2 { response.headers[.connection] = "close" }
        return response
    }

    private func problem(for error: any Error, _ request: Request, _ context: NodeContext) -> Problem {
        switch error {
        case let problem as Problem:
            return problem
        case let error as AuthError:
            return Problem(error)
        case let error as VaultError:
            if case .damaged(let what) = error {
                context.logger.critical("damage found", metadata: ["what": "\(what)"])
                onFault(error)
            }
            return Problem(error)
        case is RootBoxError, is BoxError:
            // A wrong secret was told apart before; what is left was changed on the disk.
            context.logger.critical("a stored box does not open", metadata: ["error": "\(error)"])
            onFault(error)
            return Problem(VaultError.damaged("box"))
        case is HTTPParserError:
            return Problem(
                .malformed, status: 400, title: "Malformed request", detail: "The body's chunks cannot be read.")
        case let error as any HTTPResponseError where error.status == .notFound:
            let methods = Operation.methods(of: request.uri.path)
            return methods.isEmpty
                ? Problem(.noSuchRoute, status: 404, title: "Nothing here", detail: "See /openapi.json.")
                : Problem(
                    .methodNotAllowed, status: 405, title: "Method not allowed",
                    detail: "Allowed are \(methods.joined(separator: ", ")).")
        case let error as any HTTPResponseError:
            return Problem(.http, status: Int(error.status.code), title: error.status.reasonPhrase)
        case is CancellationError:
            return Problem(
                .stopping, status: 503, title: "Node is stopping", detail: "Try again in a moment.", retryAfter: 5)
        default:
            onFault(error)
            context.logger.error(
                "unhandled error", metadata: ["error": "\(error)", "route": "\(context.endpointPath ?? "-")"])
            return Problem(
                .internal, status: 500, title: "Internal error", detail: "The request id finds it in the log.")
        }
    }

    /// For an API that only programs read: nothing may be framed, run, sniffed, referred to or kept.
    private static let headers: [HTTPField] = [
        HTTPField(name: .cacheControl, value: "no-store"),
        HTTPField(name: .contentSecurityPolicy, value: "default-src 'none'; frame-ancestors 'none'"),
        HTTPField(name: .strictTransportSecurity, value: "max-age=31536000"),
        HTTPField(name: .xContentTypeOptions, value: "nosniff"),
        HTTPField(name: .referrerPolicy, value: "no-referrer"),
        HTTPField(name: .crossOriginResourcePolicy, value: "same-origin"),
    ]
}

extension HTTPField.Name {
    // Literals that are valid field names.
    // swift-format-ignore: NeverForceUnwrap
    static let referrerPolicy = HTTPField.Name("Referrer-Policy")!
    // swift-format-ignore: NeverForceUnwrap
    static let xRequestID = HTTPField.Name("X-Request-Id")!
    // swift-format-ignore: NeverForceUnwrap
    static let idempotencyKey = HTTPField.Name("Idempotency-Key")!
    // swift-format-ignore: NeverForceUnwrap
    static let host = HTTPField.Name("Host")!
}

/// Says who is asking, for the routes behind it.
struct AuthenticationMiddleware: RouterMiddleware {
    typealias Context = NodeContext

    let authenticator: Authenticator

    func handle(
        _ request: Request, context: NodeContext, next: @concurrent (Request, NodeContext) async throws -> Response
    ) async throws -> Response {
        guard let header = request.headers[.authorization], header.lowercased().hasPrefix("bearer ") else {
            throw AuthError.badToken
        }
        var context = context
        let principal = try await authenticator.principal(
            token: String(header.dropFirst(7)), from: context.connection.address, on: context.connection.holders,
            isRepeat: Self.mayBeRepeat(request, context))
        context.principal = principal
        do {
            return try await next(request, context)
        } catch let error as VaultError {
            if let reason = error.denial { try await authenticator.denied(principal, reason) }
            throw error
        }
    }

    /// Whether the request carries a key under which it may have been answered before.
    private static func mayBeRepeat(_ request: Request, _ context: NodeContext) -> Bool {
        guard request.headers[.idempotencyKey] != nil else { return false }
        return Operation.find(request.method, context.endpointPath)?.headers.contains("Idempotency-Key") == true
    }
}

extension VaultError {
    /// For the audit log, why an agent did not get what it asked for; nil for what is no denial. Alike for what is not
    /// there and what was not granted.
    fileprivate var denial: String? {
        switch self {
        case .noSuchEntry: "no-such-entry"
        case .noSuchField: "no-such-field"
        case .noSuchVersion: "no-such-version"
        case .noSuchAgent: "no-such-agent"
        case .noSuchDeposit: "no-such-deposit"
        case .ownerOnly: "owner-only"
        case .verbMissing(let verb): "verb-missing: \(verb.rawValue)"
        case .usesExhausted: "uses-exhausted"
        case .rateLimited: "rate"
        case .quotaExceeded(let quota, _): "quota-exceeded: \(quota.rawValue)"
        case .tooManyOperations, .busy, .entryExists, .idempotencyKeyUsed, .changedSince, .invalid, .needsEnvelopes,
            .reauthenticate,
            .principalGone, .notATOTPSeed, .damaged, .readOnly:
            nil
        }
    }
}
