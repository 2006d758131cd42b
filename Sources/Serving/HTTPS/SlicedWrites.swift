import NIOCore

/// Hands answers to TLS in pieces of one record.
///
/// NIOSSL keeps its buffer for encrypted bytes as large as it ever was, for as long as the connection lives: an answer of a
/// megabyte would take a megabyte of every connection that once had one.
final class SlicedWrites: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Somewhat less than a record (RFC 8446 section 5.1), so that it fits into 16 KiB with its tag and header.
    private static let slice = 16_000
    private var unflushed = 0

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
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

    func flush(context: ChannelHandlerContext) {
        unflushed = 0
        context.flush()
    }
}
