import HTTPTypes
package import Hummingbird
import Logging
import NIOCore
import Wire

/// Everything that the monitor answers, over one port: pushes, the API, the pages.
package struct MonitorAPI: Sendable {
    package let watch: Watch
    package let operators: Operators
    package let check: SelfCheck
    package let version: String
    private let trial: ChannelTrial?

    package init(
        watch: Watch, operators: Operators, version: String,
        deliveries: @escaping @Sendable () async -> [String: DeliveryFigures]?,
        certificate: @escaping @Sendable () -> CertificateLife? = { nil }, trial: ChannelTrial? = nil
    ) {
        self.trial = trial
        self.watch = watch
        self.operators = operators
        self.version = version
        check = SelfCheck(watch: watch, deliveries: deliveries, certificate: certificate)
    }

    /// All routes. Serves the program and the tests alike.
    package func router() -> Router<MonitorContext> {
        let router = Router(context: MonitorContext.self, options: .autoGenerateHeadEndpoints)
        // Apart from the rest: nothing is done for a beat that need not be done.
        PushRoutes(watch: watch).add(to: router)
        let rest = router.group().add(middleware: AnswerMiddleware())
        PageRoutes().add(to: rest)
        PublicRoutes(watch: watch).add(to: rest)
        SessionRoutes(operators: operators).add(toOpen: rest)
        let signedIn = rest.group("/api/v1").add(middleware: OperatorMiddleware(operators: operators))
            .group(context: OperatorContext.self)
        SessionRoutes(operators: operators).add(toSignedIn: signedIn)
        FleetRoutes(watch: watch, check: check).add(to: signedIn)
        IncidentRoutes(watch: watch).add(to: signedIn)
        ChannelRoutes(check: check, trial: trial).add(to: signedIn)
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
    /// The session's, which a browser must send along with whatever changes something.
    var csrf: String?
    var token: String?

    package init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
    }

    package var maxUploadSize: Int { 65_536 }
}

/// A request of somebody who is signed in. Handlers take this type, so none can forget to check.
struct OperatorContext: ChildRequestContext {
    var coreContext: CoreRequestContextStorage
    let name: String
    let csrf: String
    /// For what goes on longer than its request: whoever is signed in now may not be then.
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

/// The one place where an error becomes a response, and where pages get the headers that keep strangers' scripts out.
struct AnswerMiddleware: RouterMiddleware {
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
        case FleetJudge.Refusal.noSuchIncident: return .noSuch("incident")
        case FleetJudge.Refusal.notYoursToEnd:
            return Problem(
                named: "ends-by-itself", status: 409, title: "It ends by itself",
                detail: "An incident ends when what is wrong ends. Acknowledge it, or silence it for a while.")
        case is NIOTooManyBytesError:
            return Problem(named: "too-large", status: 413, title: "Request is too large")
        case let error as any HTTPResponseError:
            return error.status == .notFound
                ? Problem(named: "no-such-route", status: 404, title: "Nothing here", detail: "See /openapi.json.")
                : Problem(named: "http", status: Int(error.status.code), title: error.status.reasonPhrase)
        default:
            context.logger.error("unhandled error", metadata: ["error": "\(error)"])
            return Problem(
                named: "internal", status: 500, title: "Internal error", detail: "The monitor's log says more.")
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
    // A literal that is a valid field name.
    // swift-format-ignore: NeverForceUnwrap
    static let referrerPolicy = HTTPField.Name("Referrer-Policy")!
    // swift-format-ignore: NeverForceUnwrap
    static let csrfToken = HTTPField.Name("X-CSRF-Token")!
}
