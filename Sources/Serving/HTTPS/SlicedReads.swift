import HummingbirdCore
import Logging
import NIOCore

/// Gives an HTTP/1.1 decoder a little at a time, and nothing more once a later handler has had enough: thousands of chunks of one
/// byte come in one piece of TLS, and a connection cannot be closed in the middle of it.
final class SlicedReads: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = Any

    /// Says that nothing more is wanted, as an outbound event.
    struct Stop: Sendable {}

    private static let slice = 1 << 10
    private var isOver = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        while !isOver, let slice = bytes.readSlice(length: min(Self.slice, bytes.readableBytes)),
            slice.readableBytes > 0
        {
            context.fireChannelRead(wrapInboundOut(slice))
        }
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard event is Stop else { return context.triggerUserOutboundEvent(event, promise: promise) }
        isOver = true
        promise?.succeed()
    }
}

/// Puts `SlicedReads` in front of a channel without TLS.
struct Sliced<Base: ServerChildChannel>: ServerChildChannel {
    typealias Value = Base.Value

    private let base: Base

    init(_ base: Base) { self.base = base }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        do {
            // In front of the decoders, which come behind what is there already.
            try channel.pipeline.syncOperations.addHandler(SlicedReads())
        } catch {
            return channel.eventLoop.makeFailedFuture(error)
        }
        return base.setup(channel: channel, logger: logger)
    }

    func handle(value: Value, logger: Logger) async {
        await base.handle(value: value, logger: logger)
    }
}
