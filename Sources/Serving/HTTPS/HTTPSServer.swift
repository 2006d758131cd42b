package import Autocert
package import Hummingbird
import HummingbirdCore
import HummingbirdHTTP2
package import Logging
package import NIOCore

/// HTTP/1.1 and HTTP/2 over TLS, with ceilings on connections and memory, and deadlines for slow clients.
package struct HTTPSServer: Sendable {
    /// Bytes of all header fields together.
    static let mostHeaders = 16 << 10

    let address: BindAddress
    let served: ServedCertificates
    package let connections: Connections
    let logger: Logger
    let spans: RequestDeadline.Spans
    package var onRunning: @Sendable (any Channel) async -> Void = { _ in }

    package init(
        address: BindAddress, served: ServedCertificates, limits: ConnectionLimits, logger: Logger,
        spans: RequestDeadline.Spans = .standard
    ) {
        self.address = address
        self.served = served
        connections = Connections(limits)
        self.logger = logger
        self.spans = spans
    }

    package func application<Responder: HTTPResponder>(
        responder: Responder, on group: any EventLoopGroup
    ) -> some ApplicationProtocol
    where Responder.Context: InitializableFromSource<ApplicationRequestContextSource> {
        let (spans, guarded) = (spans, connections)
        let streams = HTTP1Channel.Configuration(
            additionalChannelHandlers: [RequestDeadline(spans, guarded)],
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: Self.mostHeaders, maxHeaderListSize: Self.mostHeaders, maxHeaderFieldCount: 64))
        let http2 = HTTP2ChannelConfiguration(
            idleTimeout: .nanoseconds(spans.idle.nanoseconds), gracefulCloseTimeout: .seconds(10),
            streamConfiguration: streams)
        let served = served
        return Application(
            responder: BoundedResponder(base: responder, connections: connections),
            server: HTTPServerBuilder { responder in
                OnItsLoop(
                    ConnectionGuard(
                        HandshakeGuard(
                            try HTTP2UpgradeChannel(
                                tlsConfiguration: served.tlsConfiguration(), configuration: http2,
                                responder: responder),
                            served, streams: guarded.requestsPerConnection, within: spans.firstHead),
                        guarded))
            },
            configuration: ApplicationConfiguration(address: .hostname(address.host, port: address.port)),
            onServerRunning: onRunning,
            eventLoopGroupProvider: .shared(group),
            logger: logger)
    }
}
