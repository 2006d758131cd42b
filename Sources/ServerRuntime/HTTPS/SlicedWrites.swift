package import NIOCore

/// Passes responses to TLS in slices of one record.
///
/// NIOSSL never shrinks its buffer of encrypted bytes: after a response of a megabyte the connection would keep a megabyte.
package final class SlicedWrites: ChannelOutboundHandler {
    package typealias OutboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    /// Slightly less than a record (RFC 8446 section 5.1), so that it fits into 16 KiB with tag and header.
    private static let slice = 16_000
    private var unflushed = 0

    package init() {}

    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        var buffer = unwrapOutboundIn(data)
        while unflushed + buffer.readableBytes > Self.slice,
            let part = buffer.readSlice(length: min(Self.slice - unflushed, buffer.readableBytes))
        {
            context.write(wrapOutboundOut(part), promise: nil)
            flush(context: context)
        }
        unflushed += buffer.readableBytes
        context.write(wrapOutboundOut(buffer), promise: promise)
    }

    package func flush(context: ChannelHandlerContext) {
        unflushed = 0
        context.flush()
    }
}
