import Autocert
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP2
import NIOSSL
import NIOTLS

/// Inspects the ClientHello before TLS, and closes connections whose handshake exceeds a deadline.
struct HandshakeGuard<Base: ServerChildChannel>: ServerChildChannel {
    typealias Value = Base.Value

    private let base: Base
    private let served: ServedCertificates
    private let streams: Int
    private let limit: TimeAmount

    /// `streams`: The advertised SETTINGS_MAX_CONCURRENT_STREAMS of HTTP/2.
    init(_ base: Base, _ served: ServedCertificates, streams: Int, within limit: TimeAmount) {
        self.base = base
        self.served = served
        self.streams = streams
        self.limit = limit
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        let (served, limit, streams) = (served, limit, streams)
        return base.setup(channel: channel, logger: logger).flatMapThrowing { value in
            let pipeline = channel.pipeline.syncOperations
            let handler = try pipeline.handler(type: NIOSSLServerHandler.self)
            try pipeline.addHandler(HandshakeDeadline(limit, streams: streams), position: .after(handler))
            try pipeline.addHandler(ClientHelloHandler(served), position: .first)
            return value
        }
    }

    func handle(value: Value, logger: Logger) async {
        await base.handle(value: value, logger: logger)
    }
}

/// Waits for the handshake, inserts a guard in front of the decoder of the negotiated protocol, advertises the HTTP/2 stream
/// limit, and removes itself.
private final class HandshakeDeadline: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny

    private let limit: TimeAmount
    private let streams: Int
    private var timer: Scheduled<Void>?

    init(_ limit: TimeAmount, streams: Int) {
        self.limit = limit
        self.streams = streams
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        timer = context.eventLoop.scheduleTask(in: limit) { channel.close(promise: nil) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // Forward first: a handler that has left the pipeline forwards nothing.
        context.fireUserInboundEventTriggered(event)
        guard case .handshakeCompleted(let negotiated)? = event as? TLSUserEvent else { return }
        timer?.cancel()
        let pipeline = context.pipeline.syncOperations
        try? pipeline.addHandler(SlicedWrites(), position: .after(self))
        // In front of the decoders, which are installed by now. On a closed connection they are not.
        if negotiated == "h2" {
            try? pipeline.addHandler(FrameBudget(), position: .after(self))
            // After Hummingbird's own SETTINGS frame: Hummingbird has no option for this setting.
            let settings = HTTP2Settings([HTTP2Setting(parameter: .maxConcurrentStreams, value: streams)])
            let frame = HTTP2Frame(streamID: .rootStream, payload: .settings(.settings(settings)))
            context.channel.writeAndFlush(frame, promise: nil)
        } else {
            try? pipeline.addHandler(SlicedReads(), position: .after(self))
        }
        pipeline.removeHandler(self, promise: nil)
    }
}
