package import Autocert
package import Hummingbird
import HummingbirdCore
import HummingbirdHTTP2
package import Logging
package import NIOCore

/// An HTTP/1.1 and HTTP/2 server over TLS with limits on connections and memory, and deadlines for slow clients.
package struct HTTPSServer: Sendable {
    /// Total size of all header fields in bytes.
    static let maxHeaderBytes = 16 << 10

    let address: BindAddress
    let served: ServedCertificates
    package let connections: Connections
    let logger: Logger
    let timeouts: RequestDeadline.Timeouts
    package var onRunning: @Sendable (any Channel) async -> Void = { _ in }

    package init(
        address: BindAddress, served: ServedCertificates, limits: ConnectionLimits, logger: Logger,
        timeouts: RequestDeadline.Timeouts = .standard
    ) {
        self.address = address
        self.served = served
        connections = Connections(limits)
        self.logger = logger
        self.timeouts = timeouts
    }

    package func application<Responder: HTTPResponder>(
        responder: Responder, on group: any EventLoopGroup
    ) -> some ApplicationProtocol
    where Responder.Context: InitializableFromSource<ApplicationRequestContextSource> {
        let (timeouts, guarded) = (timeouts, connections)
        let streams = HTTP1Channel.Configuration(
            additionalChannelHandlers: [RequestDeadline(timeouts, guarded)],
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: Self.maxHeaderBytes, maxHeaderListSize: Self.maxHeaderBytes, maxHeaderFieldCount: 64
            ))
        let http2 = HTTP2ChannelConfiguration(
            idleTimeout: .nanoseconds(timeouts.idle.nanoseconds), gracefulCloseTimeout: .seconds(10),
            streamConfiguration: streams)
        let served = served
        return Application(
            responder: BoundedResponder(base: responder, connections: connections),
            server: HTTPServerBuilder { responder in
                EventLoopBoundChannel(
                    ConnectionGuard(
                        HandshakeGuard(
                            try HTTP2UpgradeChannel(
                                tlsConfiguration: served.tlsConfiguration(), configuration: http2,
                                responder: responder),
                            served, streams: guarded.requestsPerConnection, within: timeouts.firstHead),
                        guarded))
            },
            configuration: ApplicationConfiguration(address: .hostname(address.host, port: address.port)),
            onServerRunning: onRunning,
            eventLoopGroupProvider: .shared(group),
            logger: logger)
    }
}
