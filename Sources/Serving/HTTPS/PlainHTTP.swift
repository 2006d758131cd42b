package import Autocert
import Hummingbird
import HummingbirdCore
package import Logging
package import NIOCore
import ServiceLifecycle

/// Port 80: answers of HTTP-01, and the way to HTTPS for everything else. Never a byte of what is served over TLS.
package struct PlainHTTP: Service {
    let address: BindAddress
    let challenges: HTTP01Solver
    /// The names that this server is configured with; the first is where a stranger's `Host` is sent. Where there are none,
    /// those of the certificate that is served count.
    let names: [String]
    let served: ServedCertificates
    let httpsPort: Int
    let group: any EventLoopGroup
    let logger: Logger
    let onRunning: @Sendable (any Channel) async -> Void
    private let limits = ConnectionLimits(connections: 200, connectionsPerNetwork: 20)

    package init(
        address: BindAddress, challenges: HTTP01Solver, names: [String], served: ServedCertificates, httpsPort: Int,
        group: any EventLoopGroup, logger: Logger, onRunning: @escaping @Sendable (any Channel) async -> Void = { _ in }
    ) {
        self.address = address
        self.challenges = challenges
        self.names = names
        self.served = served
        self.httpsPort = httpsPort
        self.group = group
        self.logger = logger
        self.onRunning = onRunning
    }

    package func run() async throws {
        let connections = Connections(limits)
        let http1 = HTTP1Channel.Configuration(
            additionalChannelHandlers: [RequestDeadline(.standard, connections)],
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: HTTPSServer.mostHeaders, maxHeaderListSize: HTTPSServer.mostHeaders,
                maxHeaderFieldCount: 64))
        let application = Application(
            responder: BoundedResponder(
                base: CallbackResponder<BasicRequestContext> { request, _ in answer(request) }, connections: connections
            ),
            server: HTTPServerBuilder { responder in
                ConnectionGuard(Sliced(HTTP1Channel(responder: responder, configuration: http1)), connections)
            },
            configuration: ApplicationConfiguration(address: .hostname(address.host, port: address.port)),
            onServerRunning: onRunning, eventLoopGroupProvider: .shared(group), logger: logger)
        do {
            try await application.run()
        } catch {
            // The port is taken or not ours. HTTPS is served all the same, and TLS-ALPN-01 needs no port 80.
            logger.error(
                "nothing listens for plain HTTP: HTTP-01 cannot be answered",
                metadata: ["address": "\(address.host):\(address.port)", "error": "\(error)"])
            try? await gracefulShutdown()
        }
    }

    func answer(_ request: Request) -> Response {
        guard request.method == .get || request.method == .head else { return Response(status: .badRequest) }
        if request.uri.path.hasPrefix(HTTP01Solver.path) {
            guard let answer = challenges.response(path: request.uri.path) else { return Response(status: .notFound) }
            return Response(
                status: .ok, headers: [.contentType: "application/octet-stream"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: answer)))
        }
        guard let host = host(askedFor: request.head.authority?.prefix { $0 != ":" }.lowercased() ?? "") else {
            return Response(
                status: .notFound, headers: [.contentType: "text/plain; charset=utf-8"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: "Nothing is served here. Use https.\n")))
        }
        let port = httpsPort == 443 ? "" : ":\(httpsPort)"
        return Response(status: .permanentRedirect, headers: [.location: "https://\(host)\(port)\(request.uri)"])
    }

    /// A name of this server's: the one that was asked for, if it is one.
    private func host(askedFor asked: String) -> String? {
        let names = names.isEmpty ? served.current?.names ?? [] : names
        // `*.example.org` stands for one label more (RFC 9525, section 6.3).
        let parent = asked.firstIndex(of: ".").map { "*\(asked[$0...])" }
        let isName = asked.utf8.allSatisfy { "abcdefghijklmnopqrstuvwxyz0123456789-.".utf8.contains($0) }
        if isName, names.contains(asked) || parent.map(names.contains) == true { return asked }
        return names.first { !$0.hasPrefix("*") }
    }
}
