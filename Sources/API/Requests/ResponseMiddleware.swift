import Auth
import HTTPServing
import HTTPTypes
import Hummingbird
import Logging
import NIOHTTP1
import Vault
import VaultFormat
import Wire

/// Maps errors to problem documents, and adds the security headers and a log line to every response.
///
/// The log has the route template, never parameter values, queries or bodies.
struct ResponseMiddleware: RouterMiddleware {
    typealias Context = NodeContext

    let counters: RequestCounters
    /// Called with stored data that fails authentication and with unhandled errors, which may be disk errors.
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
            response = try self.response(to: error, request, context)
            if request.method == .head { response = response.createHeadResponse() }
        }
        response.addSecurityHeaders()
        response.headers.append(HTTPField(name: .xRequestID, value: context.requestID))
        counters.count(status: response.status.code, took: ContinuousClock.now - began)
        context.logger.debug(
            "responded",
            metadata: [
                "method": "\(request.method)", "route": "\(context.endpointPath ?? "-")",
                "status": "\(response.status.code)",
            ])
        return response
    }

    /// Requires exactly one `Host` (RFC 9112 section 3.2). In HTTP/2 it may accompany an equal `:authority`.
    private static func checkHost(_ request: Request, _ context: NodeContext) throws(Problem) {
        let hosts = request.headers[values: .host]
        let isOne = context.isHTTP2 ? hosts.allSatisfy { $0 == request.head.authority } : hosts.isEmpty
        guard request.head.authority?.isEmpty == false, isOne else {
            throw .malformed("Host", "must appear exactly once")
        }
    }

    private func response(to error: any Error, _ request: Request, _ context: NodeContext) throws -> Response {
        var problem = problem(for: error, request, context)
        problem.requestId = context.requestID
        var response = try Response(problem)
        if problem.status == 405 {
            response.headers[.allow] = Operation.methods(of: request.uri.path).joined(separator: ", ")
        }
        // The start of the next request on the connection is unknown.
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
                context.logger.critical("stored data is damaged", metadata: ["what": "\(what)"])
                onFault(error)
            }
            return Problem(error)
        case is RootBoxError, is BoxError:
            // Wrong secrets are handled earlier. What remains is corruption or tampering on disk.
            context.logger.critical("a stored secret box fails authentication", metadata: ["error": "\(error)"])
            onFault(error)
            return Problem(VaultError.damaged("box"))
        case is HTTPParserError:
            return Problem(
                .malformed, status: 400, title: "Malformed request",
                detail: "The chunked encoding of the body is invalid.")
        case let error as any HTTPResponseError where error.status == .notFound:
            let methods = Operation.methods(of: request.uri.path)
            return methods.isEmpty
                ? Problem(.noSuchRoute, status: 404, title: "No such route", detail: "The routes are in /openapi.json.")
                : Problem(
                    .methodNotAllowed, status: 405, title: "Method not allowed",
                    detail: "Allowed methods: \(methods.joined(separator: ", ")).")
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
                .internal, status: 500, title: "Internal error",
                detail: "The node's log has the error under this request id.")
        }
    }
}

extension HTTPField.Name {
    // Valid field names.
    // swift-format-ignore: NeverForceUnwrap
    static let xRequestID = HTTPField.Name("X-Request-Id")!
    // swift-format-ignore: NeverForceUnwrap
    static let idempotencyKey = HTTPField.Name("Idempotency-Key")!
}

/// Authenticates the bearer token and sets the principal.
struct AuthenticationMiddleware: RouterMiddleware {
    typealias Context = NodeContext

    let authenticator: Authenticator

    func handle(
        _ request: Request, context: NodeContext, next: @concurrent (Request, NodeContext) async throws -> Response
    ) async throws -> Response {
        guard let token = request.bearerToken else { throw AuthError.badToken }
        var context = context
        let principal = try await authenticator.principal(
            token: token, from: context.connection.address, on: context.connection.holders,
            isRepeat: Self.mayBeRepeat(request, context))
        context.principal = principal
        do {
            return try await next(request, context)
        } catch let error as VaultError {
            if let reason = error.denial { try await authenticator.denied(principal, reason) }
            throw error
        }
    }

    /// Whether the request carries an `Idempotency-Key` on a route that supports it.
    private static func mayBeRepeat(_ request: Request, _ context: NodeContext) -> Bool {
        guard request.headers[.idempotencyKey] != nil else { return false }
        return Operation.find(request.method, context.endpointPath)?.headers.contains("Idempotency-Key") == true
    }
}

extension VaultError {
    /// The reason of a denial in the audit log; nil for errors that are no denials. The same for what does not exist and for what
    /// was not granted.
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
            .l2KeyChanged, .l2RekeyRunning, .reauthenticate, .principalGone, .notATOTPSeed, .damaged, .vaultDamaged,
            .otherFormat, .readOnly:
            nil
        }
    }
}
