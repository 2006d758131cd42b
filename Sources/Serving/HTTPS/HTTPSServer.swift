package import Autocert
package import Hummingbird
import HummingbirdCore
import HummingbirdHTTP2
package import Logging
package import NIOCore

/// HTTP/1.1 and HTTP/2 over TLS, with a ceiling on connections and deadlines for slow clients.
package struct HTTPSServer: Sendable {
    /// Bytes of all header fields together.
    static let mostHeaders = 16 << 10

    let address: BindAddress
    let served: ServedCertificates
    let maxConnections: Int
    let logger: Logger
    let spans: RequestDeadline.Spans
    package var onRunning: @Sendable (any Channel) async -> Void = { _ in }

    package init(
        address: BindAddress, served: ServedCertificates, maxConnections: Int, logger: Logger,
        spans: RequestDeadline.Spans = .standard
    ) {
        self.address = address
        self.served = served
        self.maxConnections = maxConnections
        self.logger = logger
        self.spans = spans
    }

    package func application<Responder: HTTPResponder>(
        responder: Responder, on group: any EventLoopGroup
    ) -> some ApplicationProtocol
    where Responder.Context: InitializableFromSource<ApplicationRequestContextSource> {
        let spans = spans
        let streams = HTTP1Channel.Configuration(
            additionalChannelHandlers: [RequestDeadline(spans)],
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: Self.mostHeaders, maxHeaderListSize: Self.mostHeaders, maxHeaderFieldCount: 64))
        let connections = HTTP2ChannelConfiguration(
            idleTimeout: .nanoseconds(spans.idle.nanoseconds), gracefulCloseTimeout: .seconds(10),
            streamConfiguration: streams)
        let served = served
        return Application(
            responder: responder,
            server: HTTPServerBuilder { responder in
                OnItsLoop(
                    HandshakeGuard(
                        try HTTP2UpgradeChannel(
                            tlsConfiguration: served.tlsConfiguration(), configuration: connections,
                            responder: responder),
                        served, within: spans.firstHead))
            },
            configuration: ApplicationConfiguration(
                address: .hostname(address.host, port: address.port),
                availableConnectionsDelegate: .maximum(maxConnections, logger: logger)),
            onServerRunning: onRunning,
            eventLoopGroupProvider: .shared(group),
            logger: logger)
    }
}
