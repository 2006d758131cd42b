import HTTPTypes
package import Hummingbird
import Logging
import NIOCore
import Wire

/// The monitor's HTTP interface on one port: pushes, the API, the pages.
package struct MonitorAPI: Sendable {
    package let watch: Watch
    package let operators: Operators
    package let check: SelfCheck
    package let version: String
    private let tester: ChannelTester?

    package init(
        watch: Watch, operators: Operators, version: String,
        deliveries: @escaping @Sendable () async -> [String: DeliveryStatistics]?,
        certificate: @escaping @Sendable () -> CertificateLife? = { nil }, tester: ChannelTester? = nil
    ) {
        self.tester = tester
        self.watch = watch
        self.operators = operators
        self.version = version
        check = SelfCheck(watch: watch, deliveries: deliveries, certificate: certificate)
    }

    /// All routes, for the program and the tests.
    package func router() -> Router<MonitorContext> {
        let router = Router(context: MonitorContext.self, options: .autoGenerateHeadEndpoints)
        // Separate from the rest: a push runs no middleware that it does not need.
        PushRoutes(watch: watch).add(to: router)
        let rest = router.group().add(middleware: ResponseMiddleware())
        PageRoutes().add(to: rest)
        PublicRoutes(watch: watch).add(to: rest)
        SessionRoutes(operators: operators).add(toOpen: rest)
        let signedIn = rest.group("/api/v1").add(middleware: OperatorMiddleware(operators: operators))
            .group(context: OperatorContext.self)
        SessionRoutes(operators: operators).add(toSignedIn: signedIn)
        FleetRoutes(watch: watch, check: check).add(to: signedIn)
        IncidentRoutes(watch: watch).add(to: signedIn)
        ChannelRoutes(check: check, tester: tester).add(to: signedIn)
        EventRoutes(watch: watch, operators: operators).add(to: signedIn)
        rest.group().add(middleware: OperatorMiddleware(operators: operators)).group(context: OperatorContext.self)
            .get("/metrics") { [self] _, _ in
                Response(text: await MetricsPage(self).text, type: "text/plain; version=0.0.4; charset=utf-8")
            }
        return router
    }
}

package struct MonitorContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    var operatorName: String?
    /// The session's CSRF token, which a browser must send with every modifying request.
    var csrf: String?
    var token: String?

    package init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
    }

    package var maxUploadSize: Int { 65_536 }
}

/// The context of an authenticated request. Handlers take this type, so that none can omit the check.
struct OperatorContext: ChildRequestContext {
    var coreContext: CoreRequestContextStorage
    let name: String
    let csrf: String
    /// For streams that outlive the check: their session may end meanwhile.
    let token: String

    init(context: MonitorContext) throws {
        guard let name = context.operatorName, let csrf = context.csrf, let token = context.token else {
            throw Problem.signIn
        }
        coreContext = context.coreContext
        self.name = name
        self.csrf = csrf
        self.token = token
    }

    var maxUploadSize: Int { 65_536 }
}

/// Maps errors to responses, and adds security headers to all of them.
struct ResponseMiddleware: RouterMiddleware {
    typealias Context = MonitorContext

    func handle(
        _ request: Request, context: MonitorContext,
        next: @concurrent (Request, MonitorContext) async throws -> Response
    ) async throws -> Response {
        var response: Response
        do {
            response = try await next(request, context)
        } catch {
            let problem = problem(for: error, context)
            response = try Response(json: problem, status: .init(code: problem.status), type: Problem.mediaType)
            if let seconds = problem.retryAfter { response.headers[.retryAfter] = "\(seconds)" }
        }
        for field in Self.headers where response.headers[field.name] == nil { response.headers.append(field) }
        return response
    }

    private func problem(for error: any Error, _ context: MonitorContext) -> Problem {
        switch error {
        case let problem as Problem: return problem
        case FleetEvaluator.ActionError.noSuchIncident: return .noSuch("incident")
        case FleetEvaluator.ActionError.endsOnlyByItself:
            return Problem(
                named: "ends-by-itself", status: 409, title: "Resolves automatically",
                detail: "The incident resolves when its condition clears. Acknowledge it, or silence it for a while.")
        case is NIOTooManyBytesError:
            return Problem(named: "too-large", status: 413, title: "Request is too large")
        case let error as any HTTPResponseError:
            return error.status == .notFound
                ? Problem(named: "no-such-route", status: 404, title: "No such route", detail: "See /openapi.json.")
                : Problem(named: "http", status: Int(error.status.code), title: error.status.reasonPhrase)
        default:
            context.logger.error("unhandled error", metadata: ["error": "\(error)"])
            return Problem(
                named: "internal", status: 500, title: "Internal error", detail: "See the monitor's log.")
        }
    }

    private static let headers: [HTTPField] = [
        HTTPField(name: .cacheControl, value: "no-store"),
        HTTPField(
            name: .contentSecurityPolicy,
            value: "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"),
        .strictTransport,
        HTTPField(name: .xContentTypeOptions, value: "nosniff"),
        HTTPField(name: .referrerPolicy, value: "no-referrer"),
    ]
}

extension HTTPField {
    /// RFC 6797 section 6.1.
    static let strictTransport = HTTPField(name: .strictTransportSecurity, value: "max-age=31536000")
}

extension HTTPField.Name {
    // The literal is a valid field name.
    // swift-format-ignore: NeverForceUnwrap
    static let referrerPolicy = HTTPField.Name("Referrer-Policy")!
    // swift-format-ignore: NeverForceUnwrap
    static let csrfToken = HTTPField.Name("X-CSRF-Token")!
}
