import Autocert
import Foundation
import NIOCore
import NIOEmbedded
import NIOTLS
import Testing

/// The gate alone, so that the order of events is the test's to choose.
@Suite struct ClientHelloGateTests {
    private final class Behind: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        var heard: [UInt8] = []
        var isInactive = false
        /// Comes in while the gate is still passing on the hello.
        var meanwhile: [UInt8]?

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            heard += Array(buffer: unwrapInboundIn(data))
            guard let meanwhile else { return }
            self.meanwhile = nil
            context.pipeline.fireChannelRead(ByteBuffer(bytes: meanwhile))
        }

        func channelInactive(context: ChannelHandlerContext) { isInactive = true }
    }

    private let certificates = ServedCertificates(names: ["node.example"])
    private let channel = EmbeddedChannel()
    private let behind = Behind()
    private let hello = MadeHello.records(
        MadeHello.message(extensions: MadeHello.serverName("node.example")), each: 20)

    init() throws {
        certificates.install(try someCertificate())
        try channel.pipeline.syncOperations.addHandlers([ClientHelloGate(certificates), behind])
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    }

    private var gateStands: Bool {
        (try? channel.pipeline.syncOperations.handler(type: ClientHelloGate.self)) != nil
    }

    private func say(_ bytes: [UInt8]) throws { try channel.writeInbound(ByteBuffer(bytes: bytes)) }

    private func answer() throws -> [UInt8]? {
        try channel.readOutbound(as: ByteBuffer.self).map { Array(buffer: $0) }
    }

    @Test func nothingPassesBeforeTheHelloIsWhole() throws {
        for byte in hello.dropLast() { try say([byte]) }
        #expect(behind.heard.isEmpty)
        #expect(gateStands)
        try say(hello.suffix(1))
        #expect(behind.heard == hello)
        #expect(!gateStands)
    }

    @Test func whatComesWithTheHelloAndAfterItPassesInOrder() throws {
        behind.meanwhile = [2]
        try say(hello + [1])
        try say([3])
        #expect(behind.heard == hello + [1, 2, 3])
    }

    @Test func aRefusalIsAnAlertAndTheEnd() throws {
        try say(MadeHello.records(MadeHello.message(extensions: MadeHello.serverName("other.example"))))
        let alert = try answer()
        #expect(alert == [21, 3, 3, 0, 2, 2, 112])
        #expect(!channel.isActive)
        #expect(behind.heard.isEmpty)
        #expect(behind.isInactive)
    }

    @Test func aMalformedHelloIsAnAlertAndTheEnd() throws {
        try say([22, 3, 1, 0, 0])
        let alert = try answer()
        #expect(alert == [21, 3, 3, 0, 2, 2, 50])
        #expect(!channel.isActive)
    }

    @Test func whoSpeaksNoTLSGetsNoAnswer() throws {
        try say(Array("GET / HTTP/1.1\r\n\r\n".utf8))
        let answer = try answer()
        #expect(answer == nil)
        #expect(!channel.isActive)
        #expect(behind.heard.isEmpty)
    }

    @Test func aClientThatEndsItsHalfTooEarlyIsShownOut() throws {
        try say(Array(hello.dropLast()))
        channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        #expect(!channel.isActive)
        #expect(behind.isInactive)
    }

    @Test func aClientThatVanishesIsForgotten() throws {
        weak var gate: ClientHelloGate?
        let channel = EmbeddedChannel()
        let behind = Behind()
        do {
            let standing = ClientHelloGate(certificates)
            gate = standing
            try channel.pipeline.syncOperations.addHandlers([standing, behind])
        }
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        try channel.writeInbound(ByteBuffer(bytes: hello.dropLast()))
        #expect(gate != nil)
        _ = try channel.finish()
        #expect(behind.isInactive)
        #expect(behind.heard.isEmpty)
        #expect(gate == nil)
    }

    @Test func aChallengeReachesNobodyBehind() throws {
        let challenge = try ChallengeCertificate(name: "node.example", keyAuthorization: "a.b", now: .now)
        certificates.offer(challenge.servable, for: "Node.Example")
        try say(
            MadeHello.records(
                MadeHello.message(
                    extensions: MadeHello.serverName("node.example") + MadeHello.protocols(["acme-tls/1"]))))
        #expect(!gateStands)
        channel.pipeline.fireUserInboundEventTriggered(TLSUserEvent.shutdownCompleted)
        #expect(behind.heard.isEmpty)
        _ = try channel.finish(acceptAlreadyClosed: true)
        #expect(behind.isInactive)
    }
}
