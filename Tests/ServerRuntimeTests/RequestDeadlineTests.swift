import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import ServerRuntime
import Testing

/// The timeouts of requests and responses, on a test clock.
@Suite struct RequestDeadlineTests {
    private let connections: Connections
    private let channel: EmbeddedChannel
    private let kernel: Kernel

    /// Completes writes only when the test says so.
    private final class Kernel: ChannelOutboundHandler {
        typealias OutboundIn = HTTPResponsePart
        private var unsent: [EventLoopPromise<Void>] = []

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            if let promise { unsent.append(promise) }
        }

        func takeAll() {
            for promise in unsent { promise.succeed() }
            unsent = []
        }

        func failAll() {
            for promise in unsent { promise.fail(ChannelError.ioOnClosedChannel) }
            unsent = []
        }
    }

    private static let timeouts = RequestDeadline.Timeouts(
        firstHead: .seconds(10), body: .seconds(20), response: .seconds(30), idle: .seconds(40))

    init() throws {
        connections = Connections(ConnectionLimits(connections: 10, connectionsPerNetwork: 10))
        kernel = Kernel()
        channel = EmbeddedChannel()
        channel.remoteAddress = try SocketAddress(ipAddress: "192.0.2.1", port: 1)
        try channel.connect(to: try SocketAddress(ipAddress: "192.0.2.1", port: 1)).wait()
        _ = connections.admit(channel)
        try channel.pipeline.syncOperations.addHandlers([kernel, RequestDeadline(Self.timeouts, connections)])
    }

    private func request(isWhole: Bool = true) throws {
        try channel.writeInbound(
            HTTPRequestPart.head(HTTPRequest(method: .get, scheme: "https", authority: "a", path: "/")))
        if isWhole { try channel.writeInbound(HTTPRequestPart.end(nil)) }
    }

    private func respond(_ count: Int, length: Bool = true) {
        var head = HTTPResponse(status: .ok)
        if length { head.headerFields[.contentLength] = "\(count)" }
        channel.write(HTTPResponsePart.head(head), promise: nil)
        channel.write(HTTPResponsePart.body(ByteBuffer(repeating: 0, count: count)), promise: nil)
        if length { channel.write(HTTPResponsePart.end(nil), promise: nil) }
    }

    private func isOpen(after seconds: Int64) -> Bool {
        channel.embeddedEventLoop.advanceTime(by: .seconds(seconds))
        return channel.isActive
    }

    @Test func aMissingHeadTimesOut() {
        #expect(isOpen(after: 9))
        #expect(!isOpen(after: 1))
    }

    @Test func anIncompleteBodyTimesOut() throws {
        try request(isWhole: false)
        #expect(isOpen(after: 19))
        #expect(!isOpen(after: 1))
    }

    struct Pieces: CustomTestStringConvertible {
        let size: Int
        let count: Int
        let isTaken: Bool
        var testDescription: String { "\(count) of \(size) bytes" }
    }

    /// Small chunks cost as much time as large ones.
    @Test(arguments: [
        Pieces(size: 1, count: 200, isTaken: true), Pieces(size: 1, count: 400, isTaken: false),
        Pieces(size: 0, count: 400, isTaken: false), Pieces(size: 40, count: 2_000, isTaken: false),
        Pieces(size: 100, count: 2_000, isTaken: true), Pieces(size: 16_384, count: 256, isTaken: true),
    ])
    func aBodyInPieces(_ pieces: Pieces) throws {
        try request(isWhole: false)
        for _ in 0..<pieces.count {
            try channel.writeInbound(HTTPRequestPart.body(ByteBuffer(repeating: 0, count: pieces.size)))
            channel.embeddedEventLoop.run()
            guard channel.isActive else { break }
        }
        #expect(channel.isActive == pieces.isTaken)
    }

    @Test func theServersOwnTimeDoesNotCount() throws {
        try request()
        #expect(isOpen(after: 10_000))
    }

    @Test func anUnreadResponseTimesOut() throws {
        try request()
        respond(100)
        #expect(isOpen(after: 29))
        #expect(!isOpen(after: 1))
        #expect(connections.heldBytes == 0)
    }

    /// The channel is not writable, so the response never reaches the handler.
    @Test func anUnwritableResponseTimesOut() throws {
        try request()
        try channel.pipeline.syncOperations.handler(type: RequestDeadline.self).hold(100)
        #expect(isOpen(after: 29))
        #expect(!isOpen(after: 1))
    }

    /// The request is rejected by its head, the response is sent, and the body arrives afterwards: then the connection is idle.
    @Test func aBodyMayArriveAfterItsResponse() throws {
        try request(isWhole: false)
        let asked = connections.heldBytes
        respond(100)
        kernel.takeAll()
        // Its stream, its fields and its body's buffers are there until it ends.
        #expect(asked > ConnectionLimits.connectionBodyCost)
        #expect(connections.heldBytes == asked)
        #expect(isOpen(after: 19))
        try channel.writeInbound(HTTPRequestPart.end(nil))
        #expect(connections.heldBytes == 0)
        #expect(isOpen(after: 1))
        #expect(!isOpen(after: 10_000))
    }

    @Test func aBodyThatNeverArrivesTimesOutAfterItsResponse() throws {
        try request(isWhole: false)
        respond(100)
        kernel.takeAll()
        #expect(isOpen(after: 19))
        #expect(!isOpen(after: 1))
        #expect(connections.heldBytes == 0)
    }

    @Test func aLongResponseHasMoreTime() throws {
        try request()
        try channel.pipeline.syncOperations.handler(type: RequestDeadline.self).hold(320 << 10)
        respond(320 << 10)
        #expect(isOpen(after: 39))
        #expect(!isOpen(after: 1))
    }

    @Test func afterASentResponseTheNextRequestHasItsOwnTime() throws {
        try request()
        respond(100)
        kernel.takeAll()
        channel.embeddedEventLoop.run()
        #expect(isOpen(after: 39))
        #expect(!isOpen(after: 1))
    }

    /// Each sent response starts the next one's deadline; an unsent one closes the connection despite further requests.
    @Test func moreRequestsDoNotExtendTheDeadline() throws {
        try request()
        respond(100)
        for _ in 0..<3 {
            #expect(isOpen(after: 9))
            try request()
            respond(100)
        }
        #expect(!isOpen(after: 3))
    }

    @Test func pipelinedRequestsAreBounded() throws {
        for _ in 0..<32 { try request() }
        #expect(channel.isActive)
        try request()
        #expect(!channel.isActive)
        #expect(connections.heldBytes == 0)
    }

    @Test func anEventStreamContinuesWhileItsClientReads() throws {
        try request()
        respond(10, length: false)
        kernel.takeAll()
        channel.embeddedEventLoop.run()
        #expect(isOpen(after: 100_000))
        channel.write(HTTPResponsePart.body(ByteBuffer(repeating: 0, count: 10)), promise: nil)
        #expect(isOpen(after: 29))
        #expect(!isOpen(after: 1))
    }

    @Test func memoryOfARequestIsCountedAndReleased() throws {
        try request()
        let held = connections.heldBytes
        try channel.pipeline.syncOperations.handler(type: RequestDeadline.self).hold(100)
        #expect(held >= 2 << 10)
        #expect(connections.heldBytes == held + 100)
        respond(100)
        #expect(connections.heldBytes == held + 100)
        kernel.takeAll()
        channel.embeddedEventLoop.run()
        #expect(connections.heldBytes == 0)
    }

    @Test func aFailedWriteReleasesItsMemory() throws {
        try request()
        respond(100)
        kernel.failAll()
        channel.embeddedEventLoop.run()
        #expect(connections.heldBytes == 0)
    }
}
