import HTTPServing
import HTTPTypes
package import Hummingbird
import Logging
import NIOCore
import WebAssets
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
        certificate: @escaping @Sendable () -> CertificateValidity? = { nil }, tester: ChannelTester? = nil
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
        AssetCatalog.monitor.add(to: rest)
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

extension HTTPField.Name {
    // A valid field name.
    // swift-format-ignore: NeverForceUnwrap
    static let csrfToken = HTTPField.Name("X-CSRF-Token")!
}
