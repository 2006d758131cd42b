package import NIOCore

/// Closes an HTTP/2 connection that sends too many small frames, before they are decoded.
///
/// Every frame costs some microseconds however small it is, and data waits on its stream until it is read. Frames are therefore
/// counted by their headers (RFC 9113 §4.1) in front of the HTTP/2 handler.
package final class FrameBudget: ChannelDuplexHandler {
    package typealias InboundIn = ByteBuffer
    package typealias InboundOut = ByteBuffer
    package typealias OutboundIn = IOData
    package typealias OutboundOut = IOData

    /// The initial budget: settings, and the frames that open the streams.
    private static let start = 512
    /// Budget per second of the connection's age: pings of an idle client.
    private static let perSecond = 16
    /// Budget per HEADERS frame: the frames of one request and its response.
    private static let perHeaders = 16
    /// Budget of one frame per this many payload bytes.
    private static let smallFrame = 64
    /// Budget of one frame per this many response bytes: window updates.
    private static let responseBytesPerFrame = 512

    private static let headerLength = 9
    private static let headers: UInt8 = 1

    private var began: NIODeadline?
    /// Frames received, and the budget earned so far except by time.
    private var frames = 0
    private var earned = start
    private var responseBytes = 0
    /// Bytes that remain of the connection preface (RFC 9113 §3.4) or of the current frame's payload.
    private var remaining = 24
    /// A partly received frame header.
    private var header: [UInt8] = []
    private var isOver = false

    package init() {}

    package func handlerAdded(context: ChannelHandlerContext) { began = context.eventLoop.now }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isOver else { return }
        let bytes = unwrapInboundIn(data)
        count(bytes.readableBytesView)
        let age = began.map { Int((context.eventLoop.now - $0).nanoseconds / 1_000_000_000) } ?? 0
        guard frames <= earned + responseBytes / Self.responseBytesPerFrame + Self.perSecond * age else {
            isOver = true
            context.channel.closeAbortively()
            return
        }
        context.fireChannelRead(data)
    }

    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .byteBuffer(let bytes) = unwrapOutboundIn(data) { responseBytes += bytes.readableBytes }
        context.write(data, promise: promise)
    }

    private func count(_ bytes: ByteBufferView) {
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let skipped = min(remaining, bytes.endIndex - index)
            index += skipped
            remaining -= skipped
            guard remaining == 0 else { return }
            while header.count < Self.headerLength, index < bytes.endIndex {
                header.append(bytes[index])
                index += 1
            }
            guard header.count == Self.headerLength else { return }
            remaining = Int(header[0]) << 16 | Int(header[1]) << 8 | Int(header[2])
            frames += 1
            if header[3] == Self.headers { earned += Self.perHeaders }
            earned += remaining / Self.smallFrame
            header.removeAll(keepingCapacity: true)
        }
    }
}
