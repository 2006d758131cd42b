import HummingbirdCore
import Logging
package import NIOCore

/// Passes input to an HTTP/1.1 decoder in small slices, and nothing after a later handler has sent `Stop`. One TLS read may
/// contain thousands of one-byte chunks, and a connection cannot be closed in the middle of a read.
package final class SlicedReads: ChannelDuplexHandler {
    package typealias InboundIn = ByteBuffer
    package typealias InboundOut = ByteBuffer
    package typealias OutboundIn = Any

    /// The outbound event that stops the input.
    package struct Stop: Sendable {
        package init() {}
    }

    private static let slice = 1 << 10
    private var isOver = false

    package init() {}

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        while !isOver, let slice = bytes.readSlice(length: min(Self.slice, bytes.readableBytes)),
            slice.readableBytes > 0
        {
            context.fireChannelRead(wrapInboundOut(slice))
        }
    }

    package func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?)
    {
        guard event is Stop else { return context.triggerUserOutboundEvent(event, promise: promise) }
        isOver = true
        promise?.succeed()
    }
}

/// Adds `SlicedReads` to a channel without TLS.
struct SlicedReadsChannel<Base: ServerChildChannel>: ServerChildChannel {
    typealias Value = Base.Value

    private let base: Base

    init(_ base: Base) { self.base = base }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        do {
            // The decoders are added behind the existing handlers.
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
