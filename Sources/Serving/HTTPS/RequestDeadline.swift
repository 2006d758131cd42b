package import NIOCore
package import NIOHTTPTypes

/// Closes connections that take too long over a request, however steadily they trickle.
///
/// Three spans: until a request's head is there, until its body is, and between requests. The time that the node
/// itself takes to answer does not count.
package final class RequestDeadline: ChannelDuplexHandler, RemovableChannelHandler {
    package typealias InboundIn = HTTPRequestPart
    package typealias InboundOut = HTTPRequestPart
    package typealias OutboundIn = HTTPResponsePart
    package typealias OutboundOut = HTTPResponsePart

    package struct Spans: Sendable {
        package var firstHead: TimeAmount
        package var body: TimeAmount
        package var idle: TimeAmount

        package init(firstHead: TimeAmount, body: TimeAmount, idle: TimeAmount) {
            self.firstHead = firstHead
            self.body = body
            self.idle = idle
        }

        package static let standard = Spans(firstHead: .seconds(15), body: .seconds(30), idle: .seconds(75))
    }

    private let spans: Spans
    private var timer: Scheduled<Void>?

    package init(_ spans: Spans) {
        self.spans = spans
    }

    package func handlerAdded(context: ChannelHandlerContext) {
        start(spans.firstHead, context)
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
    }

    package func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head: start(spans.body, context)
        case .body: break
        case .end: timer?.cancel()
        }
        context.fireChannelRead(data)
    }

    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) { start(spans.idle, context) }
        context.write(data, promise: promise)
    }

    private func start(_ span: TimeAmount, _ context: ChannelHandlerContext) {
        timer?.cancel()
        let channel = context.channel
        timer = context.eventLoop.scheduleTask(in: span) { channel.close(promise: nil) }
    }
}
