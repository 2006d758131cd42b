import HTTPTypes
package import NIOCore
package import NIOHTTPTypes

/// Closes connections of slow clients, and counts the memory that each request holds.
///
/// There are four timeouts: for the request head, for the body, for sending the response (even if it trickles steadily), and
/// between requests. The server's own time to respond does not count. A response counts as sent when the kernel has it; in
/// HTTP/2 the client's flow-control windows must have room for it as well.
package final class RequestDeadline: ChannelDuplexHandler, RemovableChannelHandler {
    package typealias InboundIn = HTTPRequestPart
    package typealias InboundOut = HTTPRequestPart
    package typealias OutboundIn = HTTPResponsePart
    package typealias OutboundOut = HTTPResponsePart

    package struct Timeouts: Sendable {
        package var firstHead: TimeAmount
        package var body: TimeAmount
        /// For the response, plus one second for each `bytesPerSecond` of it.
        package var response: TimeAmount
        package var idle: TimeAmount

        package init(firstHead: TimeAmount, body: TimeAmount, response: TimeAmount, idle: TimeAmount) {
            self.firstHead = firstHead
            self.body = body
            self.response = response
            self.idle = idle
        }

        package static let standard = Timeouts(
            firstHead: .seconds(15), body: .seconds(30), response: .seconds(20), idle: .seconds(75))

        /// The minimum rate at which a client must read a long response.
        static let bytesPerSecond = 32 << 10
    }

    private let timeouts: Timeouts
    private let connections: Connections
    /// The deadline for a head, a body, or the next request.
    private var inbound: Scheduled<Void>?
    /// The deadline for the oldest unsent response.
    private var outbound: Scheduled<Void>?
    private var context: ChannelHandlerContext?
    /// Whether the current response is an event stream without a length.
    private var isStreaming = false
    /// Chunks of the event stream that were written and not yet sent.
    private var unsent = 0
    /// Oldest first. More than one only in pipelined HTTP/1.1.
    private var requests: [Open] = []
    /// Whether the newest request's body is complete. Earlier ones are: the next request follows the body.
    private var isBodyComplete = true
    private var isBodyCounted = false
    /// The chunks and bytes received of the newest request's body.
    private var body = (chunks: 0, bytes: 0)
    /// The newest request's number, if its response was sent before its body was complete.
    private var respondedEarly: Int?

    /// A chunk costs a microsecond or two however small it is. This many chunks may have any size; beyond them their average size
    /// must be at least `minAverageChunk` bytes.
    private static let freeChunks = 256
    private static let minAverageChunk = 64

    private struct Open {
        let number: Int
        var response = 0
        var isResponded = false
    }

    /// `connections`: The table that counts the requests.
    package init(_ timeouts: Timeouts, _ connections: Connections) {
        self.timeouts = timeouts
        self.connections = connections
    }

    package func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        startReceiveDeadline(timeouts.firstHead, context)
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        finish(context)
        self.context = nil
    }

    package func channelInactive(context: ChannelHandlerContext) {
        finish(context)
        context.fireChannelInactive()
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            guard open(head, context) else {
                context.channel.close(promise: nil)
                return
            }
            (isBodyComplete, isBodyCounted, body) = (false, false, (0, 0))
            startReceiveDeadline(timeouts.body, context)
        case .body(let piece):
            body.chunks += 1
            body.bytes += piece.readableBytes
            guard body.chunks <= Self.freeChunks + body.bytes / Self.minAverageChunk else {
                context.triggerUserOutboundEvent(SlicedReads.Stop(), promise: nil)
                context.channel.tcpConnection.closeAbortively()
                return
            }
        case .end:
            isBodyComplete = true
            inbound?.cancel()
            if let respondedEarly {
                connections.end(respondedEarly, on: context.channel.tcpConnection)
                self.respondedEarly = nil
            }
            // The response was sent before the body arrived: now wait for the next request.
            if requests.isEmpty { startReceiveDeadline(timeouts.idle, context) }
        }
        context.fireChannelRead(data)
    }

    /// Counts the memory of an incomplete body, whether or not a handler reads it.
    package func channelReadComplete(context: ChannelHandlerContext) {
        if !isBodyComplete, !isBodyCounted, let number = respondedEarly ?? requests.last?.number {
            isBodyCounted = true
            connections.holdBody(
                context.channel.isStream ? ConnectionLimits.streamBodyCost : ConnectionLimits.connectionBodyCost,
                for: number, on: context.channel.tcpConnection)
        }
        context.fireChannelReadComplete()
    }

    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head):
            if head.status.kind != .informational { responseBegins(head, context) }
            context.write(data, promise: promise)
        case .body:
            // Each chunk of an event stream has a deadline; a response with a length has one for its end.
            guard isStreaming else { return context.write(data, promise: promise) }
            unsent += 1
            startSendDeadline(context)
            context.write(data, promise: whenSent(promise, context) { handler, _ in handler.chunkSent() })
        case .end:
            context.write(data, promise: whenSent(promise, context) { $0.responseSent($1) })
        }
    }

    private func whenSent(
        _ promise: EventLoopPromise<Void>?, _ context: ChannelHandlerContext,
        _ body: @escaping @Sendable (RequestDeadline, ChannelHandlerContext) -> Void
    ) -> EventLoopPromise<Void> {
        let taken = promise ?? context.eventLoop.makePromise()
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        taken.futureResult.whenComplete { _ in
            let (handler, context) = bound.value
            body(handler, context)
        }
        return taken
    }

    /// Counts the response of the oldest request without one, before it is written. Call on the channel's event loop.
    package func hold(_ bytes: Int) {
        guard let context, let index = requests.firstIndex(where: { $0.response == 0 && !$0.isResponded }) else {
            return
        }
        requests[index].response = bytes
        connections.hold(bytes, for: requests[index].number, on: context.channel.tcpConnection)
        startSendDeadline(context)
    }

    private func open(_ head: HTTPRequest, _ context: ChannelHandlerContext) -> Bool {
        guard respondedEarly == nil, requests.count < connections.requestsPerConnection else { return false }
        let fields = head.headerFields.reduce(0) { $0 + $1.name.rawName.utf8.count + $1.value.utf8.count + 64 }
        let cost = context.channel.isStream ? ConnectionLimits.streamCost : ConnectionLimits.pipelinedCost
        guard let number = connections.begin(on: context.channel.tcpConnection, cost: cost + fields) else {
            return false
        }
        requests.append(Open(number: number))
        return true
    }

    private func responseBegins(_ head: HTTPResponse, _ context: ChannelHandlerContext) {
        if let index = requests.firstIndex(where: { !$0.isResponded }) { requests[index].isResponded = true }
        isStreaming =
            head.headerFields[.contentLength] == nil && head.status.code != 204 && head.status.code != 304
        if !isStreaming { startSendDeadline(context) }
    }

    private func chunkSent() {
        unsent -= 1
        guard unsent == 0 else { return }
        outbound?.cancel()
        outbound = nil
    }

    private func responseSent(_ context: ChannelHandlerContext) {
        outbound?.cancel()
        outbound = nil
        guard !requests.isEmpty else { return }
        let done = requests.removeFirst()
        if requests.isEmpty, !isBodyComplete {
            respondedEarly = done.number
            connections.responseSent(done.number, on: context.channel.tcpConnection)
        } else {
            connections.end(done.number, on: context.channel.tcpConnection)
        }
        guard context.channel.isActive else { return }
        if requests.isEmpty {
            startReceiveDeadline(respondedEarly == nil ? timeouts.idle : timeouts.body, context)
        } else if requests.contains(where: \.isResponded) {
            startSendDeadline(context)
        }
    }

    /// Releases everything when the channel has closed.
    private func finish(_ context: ChannelHandlerContext) {
        inbound?.cancel()
        outbound?.cancel()
        for number in requests.map(\.number) + [respondedEarly].compactMap(\.self) {
            connections.end(number, on: context.channel.tcpConnection)
        }
        requests.removeAll()
        respondedEarly = nil
    }

    private func startReceiveDeadline(_ timeout: TimeAmount, _ context: ChannelHandlerContext) {
        inbound?.cancel()
        let channel = context.channel
        inbound = context.eventLoop.scheduleTask(in: timeout) { channel.close(promise: nil) }
    }

    /// A client that does not read a response loses the whole connection, because it would not read the other streams either.
    private func startSendDeadline(_ context: ChannelHandlerContext) {
        guard outbound == nil else { return }
        let bytes = requests.reduce(0) { $0 + $1.response }
        let timeout = timeouts.response + .seconds(Int64(bytes / Timeouts.bytesPerSecond))
        let connection = context.channel.tcpConnection
        outbound = context.eventLoop.scheduleTask(in: timeout) { connection.closeAbortively() }
    }
}
