package import Autocert
package import Hummingbird
import HummingbirdCore
package import Logging
package import NIOCore
import ServiceLifecycle

/// Serves port 80: HTTP-01 responses, and redirects to HTTPS for everything else. Never serves content.
package struct PlainHTTP: Service {
    let address: BindAddress
    let challenges: HTTP01Solver
    /// The configured names of the server; an unknown `Host` is redirected to the first. If empty, the names of the certificate
    /// in service apply.
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
                maxHeaderFieldSize: HTTPSServer.maxHeaderBytes, maxHeaderListSize: HTTPSServer.maxHeaderBytes,
                maxHeaderFieldCount: 64))
        let application = Application(
            responder: BoundedResponder(
                base: CallbackResponder<BasicRequestContext> { request, _ in response(to: request) },
                connections: connections
            ),
            server: HTTPServerBuilder { responder in
                ConnectionGuard(
                    SlicedReadsChannel(HTTP1Channel(responder: responder, configuration: http1)), connections)
            },
            configuration: ApplicationConfiguration(address: .hostname(address.host, port: address.port)),
            onServerRunning: onRunning, eventLoopGroupProvider: .shared(group), logger: logger)
        do {
            try await application.run()
        } catch {
            // The port is in use or forbidden. HTTPS and TLS-ALPN-01 work without port 80.
            logger.error(
                "plain HTTP is not served; HTTP-01 challenges will fail",
                metadata: ["address": "\(address.host):\(address.port)", "error": "\(error)"])
            try? await gracefulShutdown()
        }
    }

    package func response(to request: Request) -> Response {
        guard request.method == .get || request.method == .head else { return Response(status: .badRequest) }
        if request.uri.path.hasPrefix(HTTP01Solver.path) {
            guard let content = challenges.response(path: request.uri.path) else { return Response(status: .notFound) }
            return Response(
                status: .ok, headers: [.contentType: "application/octet-stream"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: content)))
        }
        guard let host = host(for: request.head.authority?.prefix { $0 != ":" }.lowercased() ?? "") else {
            return Response(
                status: .notFound, headers: [.contentType: "text/plain; charset=utf-8"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: "This server has no name yet. Use https.\n")))
        }
        let port = httpsPort == 443 ? "" : ":\(httpsPort)"
        return Response(status: .permanentRedirect, headers: [.location: "https://\(host)\(port)\(request.uri)"])
    }

    /// The server's name for a redirect: the requested name if it is one of its names, else the first.
    private func host(for requested: String) -> String? {
        let names = names.isEmpty ? served.current?.names ?? [] : names
        // `*.example.org` matches one additional label (RFC 9525, section 6.3).
        let parent = requested.firstIndex(of: ".").map { "*\(requested[$0...])" }
        let isName = requested.utf8.allSatisfy { "abcdefghijklmnopqrstuvwxyz0123456789-.".utf8.contains($0) }
        if isName, names.contains(requested) || parent.map(names.contains) == true { return requested }
        return names.first { !$0.hasPrefix("*") }
    }
}
