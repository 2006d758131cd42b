import Encoding
import HTTPServing
import HTTPTypes
import Hummingbird
import Wire

/// Authenticates requests: browsers by cookie, tools by bearer token.
struct OperatorMiddleware: RouterMiddleware {
    typealias Context = MonitorContext

    let operators: Operators

    func handle(
        _ request: Request, context: MonitorContext,
        next: @concurrent (Request, MonitorContext) async throws -> Response
    ) async throws -> Response {
        let bearer = request.bearerToken
        let cookie = request.cookies[SessionRoutes.cookie]?.value
        guard let token = bearer ?? cookie, let session = try await operators.signedIn(token) else {
            throw Problem.signIn
        }
        let reads = [.get, .head].contains(request.method)
        guard reads || !session.readsOnly else {
            throw Problem(named: "reads-only", status: 403, title: "This token is read-only")
        }
        // Any page can make a browser send the cookie; only ours sends this header.
        if bearer == nil, !reads,
            !constantTimeEqual(Array((request.headers[.csrfToken] ?? "").utf8), Array(session.csrf.utf8))
        {
            throw Problem(named: "csrf", status: 403, title: "X-CSRF-Token is missing or wrong")
        }
        var context = context
        context.operatorName = session.name
        context.csrf = session.csrf
        context.token = token
        return try await next(request, context)
    }
}
