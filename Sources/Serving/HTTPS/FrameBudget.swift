import NIOCore

/// Closes an HTTP/2 connection whose frames are small out of proportion, before anything is made of them.
///
/// A frame costs some microseconds however little it carries, and data waits on its stream until somebody reads it. So the
/// frames of each piece that TLS gives are counted by their headers (RFC 9113 §4.1) in front of the HTTP/2 handler.
final class FrameBudget: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    /// What a client may always send: its settings, and what it takes to open its streams.
    private static let start = 512
    /// For each second of the connection's life: pings and the like of a client with nothing else to do.
    private static let perSecond = 16
    /// For each frame of header fields: what it takes to ask once and to take the answer.
    private static let perHeaders = 16
    /// For each frame of data, one that carries at least so many bytes earns its own cost.
    private static let smallFrame = 64
    /// For so many bytes of answers one more, because taking them has to be told.
    private static let answeredBytes = 512

    private static let headerLength = 9
    private static let headers: UInt8 = 1

    private var began: NIODeadline?
    /// Frames, and what has been earned for them besides the time.
    private var frames = 0
    private var earned = start
    private var answered = 0
    /// Of the connection preface (RFC 9113 §3.4), or of a frame whose header is known: what is still to come.
    private var rest = 24
    /// A header of which only a part came.
    private var header: [UInt8] = []
    private var isOver = false

    func handlerAdded(context: ChannelHandlerContext) { began = context.eventLoop.now }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isOver else { return }
        let bytes = unwrapInboundIn(data)
        count(bytes.readableBytesView)
        let age = began.map { Int((context.eventLoop.now - $0).nanoseconds / 1_000_000_000) } ?? 0
        guard frames <= earned + answered / Self.answeredBytes + Self.perSecond * age else {
            isOver = true
            context.channel.closeHard()
            return
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .byteBuffer(let bytes) = unwrapOutboundIn(data) { answered += bytes.readableBytes }
        context.write(data, promise: promise)
    }

    private func count(_ bytes: ByteBufferView) {
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let taken = min(rest, bytes.endIndex - index)
            index += taken
            rest -= taken
            guard rest == 0 else { return }
            while header.count < Self.headerLength, index < bytes.endIndex {
                header.append(bytes[index])
                index += 1
            }
            guard header.count == Self.headerLength else { return }
            rest = Int(header[0]) << 16 | Int(header[1]) << 8 | Int(header[2])
            frames += 1
            if header[3] == Self.headers { earned += Self.perHeaders }
            earned += rest / Self.smallFrame
            header.removeAll(keepingCapacity: true)
        }
    }
}
