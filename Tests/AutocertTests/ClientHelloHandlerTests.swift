import Autocert
import Foundation
import NIOCore
import NIOEmbedded
import NIOTLS
import Testing

/// The handler in an embedded channel, so that each test chooses the order of events.
@Suite struct ClientHelloHandlerTests {
    private final class NextHandler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        var received: [UInt8] = []
        var isInactive = false
        /// Arrives while the handler is still passing on the hello.
        var reentrant: [UInt8]?

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            received += Array(buffer: unwrapInboundIn(data))
            guard let reentrant else { return }
            self.reentrant = nil
            context.pipeline.fireChannelRead(ByteBuffer(bytes: reentrant))
        }

        func channelInactive(context: ChannelHandlerContext) { isInactive = true }
    }

    private let certificates = ServedCertificates(names: ["node.example"])
    private let channel = EmbeddedChannel()
    private let next = NextHandler()
    private let hello = MadeHello.records(
        MadeHello.message(extensions: MadeHello.serverName("node.example")), each: 20)

    init() throws {
        certificates.install(try someCertificate())
        try channel.pipeline.syncOperations.addHandlers([ClientHelloHandler(certificates), next])
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    }

    private var handlerIsInstalled: Bool {
        (try? channel.pipeline.syncOperations.handler(type: ClientHelloHandler.self)) != nil
    }

    private func receive(_ bytes: [UInt8]) throws { try channel.writeInbound(ByteBuffer(bytes: bytes)) }

    private func sent() throws -> [UInt8]? {
        try channel.readOutbound(as: ByteBuffer.self).map { Array(buffer: $0) }
    }

    @Test func nothingIsPassedOnBeforeTheHelloIsComplete() throws {
        for byte in hello.dropLast() { try receive([byte]) }
        #expect(next.received.isEmpty)
        #expect(handlerIsInstalled)
        try receive(hello.suffix(1))
        #expect(next.received == hello)
        #expect(!handlerIsInstalled)
    }

    @Test func bytesWithAndAfterTheHelloArePassedOnInOrder() throws {
        next.reentrant = [2]
        try receive(hello + [1])
        try receive([3])
        #expect(next.received == hello + [1, 2, 3])
    }

    @Test func aRejectionSendsAnAlertAndCloses() throws {
        try receive(MadeHello.records(MadeHello.message(extensions: MadeHello.serverName("other.example"))))
        let alert = try sent()
        #expect(alert == [21, 3, 3, 0, 2, 2, 112])
        #expect(!channel.isActive)
        #expect(next.received.isEmpty)
        #expect(next.isInactive)
    }

    @Test func aMalformedHelloSendsAnAlertAndCloses() throws {
        try receive([22, 3, 1, 0, 0])
        let alert = try sent()
        #expect(alert == [21, 3, 3, 0, 2, 2, 50])
        #expect(!channel.isActive)
    }

    @Test func aClientWithoutTLSIsClosedWithoutAResponse() throws {
        try receive(Array("GET / HTTP/1.1\r\n\r\n".utf8))
        let sent = try sent()
        #expect(sent == nil)
        #expect(!channel.isActive)
        #expect(next.received.isEmpty)
    }

    @Test func aClientThatHalfClosesTooEarlyIsClosed() throws {
        try receive(Array(hello.dropLast()))
        channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        #expect(!channel.isActive)
        #expect(next.isInactive)
    }

    @Test func aDisconnectedClientsHandlerIsReleased() throws {
        weak var handler: ClientHelloHandler?
        let channel = EmbeddedChannel()
        let next = NextHandler()
        do {
            let added = ClientHelloHandler(certificates)
            handler = added
            try channel.pipeline.syncOperations.addHandlers([added, next])
        }
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        try channel.writeInbound(ByteBuffer(bytes: hello.dropLast()))
        #expect(handler != nil)
        _ = try channel.finish()
        #expect(next.isInactive)
        #expect(next.received.isEmpty)
        #expect(handler == nil)
    }

    @Test func aChallengeDoesNotReachTheNextHandler() throws {
        let challenge = try ChallengeCertificate(name: "node.example", keyAuthorization: "a.b", now: .now)
        certificates.addChallenge(challenge.servable, for: "Node.Example")
        try receive(
            MadeHello.records(
                MadeHello.message(
                    extensions: MadeHello.serverName("node.example") + MadeHello.protocols(["acme-tls/1"]))))
        #expect(!handlerIsInstalled)
        channel.pipeline.fireUserInboundEventTriggered(TLSUserEvent.shutdownCompleted)
        #expect(next.received.isEmpty)
        _ = try channel.finish(acceptAlreadyClosed: true)
        #expect(next.isInactive)
    }
}
