import HTTPTypes
package import NIOCore
package import NIOHTTPTypes

/// Closes connections that take too long over a request or its answer, and counts what each request holds.
///
/// Four spans: until a request's head is there, until its body is, until its answer was taken (however steadily it
/// trickles), and between requests. The time that the server itself takes to answer does not count. What was written counts
/// as taken when the kernel has it; for HTTP/2 that takes room in the client's flow-control windows as well.
package final class RequestDeadline: ChannelDuplexHandler, RemovableChannelHandler {
    package typealias InboundIn = HTTPRequestPart
    package typealias InboundOut = HTTPRequestPart
    package typealias OutboundIn = HTTPResponsePart
    package typealias OutboundOut = HTTPResponsePart

    package struct Spans: Sendable {
        package var firstHead: TimeAmount
        package var body: TimeAmount
        /// For an answer, besides one second for each `bytesPerSecond` of it.
        package var answer: TimeAmount
        package var idle: TimeAmount

        package init(firstHead: TimeAmount, body: TimeAmount, answer: TimeAmount, idle: TimeAmount) {
            self.firstHead = firstHead
            self.body = body
            self.answer = answer
            self.idle = idle
        }

        package static let standard = Spans(
            firstHead: .seconds(15), body: .seconds(30), answer: .seconds(20), idle: .seconds(75))

        /// The slowest rate at which a long answer may be taken.
        static let bytesPerSecond = 32 << 10
    }

    private let spans: Spans
    private let connections: Connections
    /// For a head, a body, or the next request.
    private var inbound: Scheduled<Void>?
    /// For the oldest answer that is not taken.
    private var outbound: Scheduled<Void>?
    private var context: ChannelHandlerContext?
    /// The present answer has no length: it goes on for as long as its client listens.
    private var isStreaming = false
    /// Pieces of such an answer that were written and not taken.
    private var untaken = 0
    /// Oldest first. More than one only in pipelined HTTP/1.1.
    private var requests: [Open] = []
    /// The newest request's body is whole. Only its end can be missing: the next request comes after it.
    private var isWhole = true
    private var isBodyCounted = false
    /// Of the newest request's body, as far as it came.
    private var body = (pieces: 0, bytes: 0)
    /// The newest request, where its answer was taken before its body was whole.
    private var early: Int?

    /// A piece costs a microsecond or two, however small it is: so many may be of any size, and beyond them they must be of
    /// so many bytes on average.
    private static let fewPieces = 256
    private static let smallPiece = 64

    private struct Open {
        let number: Int
        var answer = 0
        var isAnswered = false
    }

    /// `connections`: Where the requests are counted.
    package init(_ spans: Spans, _ connections: Connections) {
        self.spans = spans
        self.connections = connections
    }

    package func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        wait(spans.firstHead, context)
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
            (isWhole, isBodyCounted, body) = (false, false, (0, 0))
            wait(spans.body, context)
        case .body(let piece):
            body.pieces += 1
            body.bytes += piece.readableBytes
            guard body.pieces <= Self.fewPieces + body.bytes / Self.smallPiece else {
                context.triggerUserOutboundEvent(SlicedReads.Stop(), promise: nil)
                context.channel.tcpConnection.closeHard()
                return
            }
        case .end:
            isWhole = true
            inbound?.cancel()
            if let early {
                connections.end(early, on: context.channel.tcpConnection)
                self.early = nil
            }
            // Answered before its body was there: the next request is what is waited for.
            if requests.isEmpty { wait(spans.idle, context) }
        }
        context.fireChannelRead(data)
    }

    /// What came of a body without its end takes room, whether or not anybody reads it.
    package func channelReadComplete(context: ChannelHandlerContext) {
        if !isWhole, !isBodyCounted, let number = early ?? requests.last?.number {
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
            if head.status.kind != .informational { answerBegins(head, context) }
            context.write(data, promise: promise)
        case .body:
            // Of a stream of events each piece must be taken in its turn; of an answer with an end, the end.
            guard isStreaming else { return context.write(data, promise: promise) }
            untaken += 1
            expectTaking(context)
            context.write(data, promise: whenTaken(promise, context) { handler, _ in handler.pieceTaken() })
        case .end:
            context.write(data, promise: whenTaken(promise, context) { $0.answerTaken($1) })
        }
    }

    private func whenTaken(
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

    /// Counts the answer of the oldest request without one, before it is written. On the channel's event loop.
    func hold(_ bytes: Int) {
        guard let context, let index = requests.firstIndex(where: { $0.answer == 0 && !$0.isAnswered }) else { return }
        requests[index].answer = bytes
        connections.hold(bytes, for: requests[index].number, on: context.channel.tcpConnection)
        expectTaking(context)
    }

    private func open(_ head: HTTPRequest, _ context: ChannelHandlerContext) -> Bool {
        guard early == nil, requests.count < connections.requestsPerConnection else { return false }
        let fields = head.headerFields.reduce(0) { $0 + $1.name.rawName.utf8.count + $1.value.utf8.count + 64 }
        let cost = context.channel.isStream ? ConnectionLimits.streamCost : ConnectionLimits.pipelinedCost
        guard let number = connections.begin(on: context.channel.tcpConnection, cost: cost + fields) else {
            return false
        }
        requests.append(Open(number: number))
        return true
    }

    private func answerBegins(_ head: HTTPResponse, _ context: ChannelHandlerContext) {
        if let index = requests.firstIndex(where: { !$0.isAnswered }) { requests[index].isAnswered = true }
        isStreaming =
            head.headerFields[.contentLength] == nil && head.status.code != 204 && head.status.code != 304
        if !isStreaming { expectTaking(context) }
    }

    private func pieceTaken() {
        untaken -= 1
        guard untaken == 0 else { return }
        outbound?.cancel()
        outbound = nil
    }

    private func answerTaken(_ context: ChannelHandlerContext) {
        outbound?.cancel()
        outbound = nil
        guard !requests.isEmpty else { return }
        let done = requests.removeFirst()
        if requests.isEmpty, !isWhole {
            early = done.number
            connections.answerTaken(done.number, on: context.channel.tcpConnection)
        } else {
            connections.end(done.number, on: context.channel.tcpConnection)
        }
        guard context.channel.isActive else { return }
        if requests.isEmpty {
            wait(early == nil ? spans.idle : spans.body, context)
        } else if requests.contains(where: \.isAnswered) {
            expectTaking(context)
        }
    }

    /// The channel is gone: nothing is held, nobody is waited for.
    private func finish(_ context: ChannelHandlerContext) {
        inbound?.cancel()
        outbound?.cancel()
        for number in requests.map(\.number) + [early].compactMap(\.self) {
            connections.end(number, on: context.channel.tcpConnection)
        }
        requests.removeAll()
        early = nil
    }

    private func wait(_ span: TimeAmount, _ context: ChannelHandlerContext) {
        inbound?.cancel()
        let channel = context.channel
        inbound = context.eventLoop.scheduleTask(in: span) { channel.close(promise: nil) }
    }

    /// Who does not take an answer loses the whole connection: its other streams would be left lying as well.
    private func expectTaking(_ context: ChannelHandlerContext) {
        guard outbound == nil else { return }
        let bytes = requests.reduce(0) { $0 + $1.answer }
        let span = spans.answer + .seconds(Int64(bytes / Spans.bytesPerSecond))
        let connection = context.channel.tcpConnection
        outbound = context.eventLoop.scheduleTask(in: span) { connection.closeHard() }
    }
}
