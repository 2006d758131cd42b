import Autocert
import HummingbirdCore
import Logging
import NIOCore
import NIOSSL
import NIOTLS

/// Reads whom a client wants before TLS does, and closes connections whose handshake does not come to an end.
struct HandshakeGuard<Base: ServerChildChannel>: ServerChildChannel {
    typealias Value = Base.Value

    private let base: Base
    private let served: ServedCertificates
    private let limit: TimeAmount

    init(_ base: Base, _ served: ServedCertificates, within limit: TimeAmount) {
        self.base = base
        self.served = served
        self.limit = limit
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        let (served, limit) = (served, limit)
        return base.setup(channel: channel, logger: logger).flatMapThrowing { value in
            let pipeline = channel.pipeline.syncOperations
            let handler = try pipeline.handler(type: NIOSSLServerHandler.self)
            try pipeline.addHandler(HandshakeDeadline(limit), position: .after(handler))
            try pipeline.addHandler(ClientHelloGate(served), position: .first)
            return value
        }
    }

    func handle(value: Value, logger: Logger) async {
        await base.handle(value: value, logger: logger)
    }
}

/// Waits for the handshake and steps aside.
private final class HandshakeDeadline: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny

    private let limit: TimeAmount
    private var timer: Scheduled<Void>?

    init(_ limit: TimeAmount) {
        self.limit = limit
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        timer = context.eventLoop.scheduleTask(in: limit) { channel.close(promise: nil) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // First on, then out: a handler that has left the pipeline passes nothing on.
        context.fireUserInboundEventTriggered(event)
        guard event is TLSUserEvent else { return }
        timer?.cancel()
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }
}
