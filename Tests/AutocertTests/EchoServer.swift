import Autocert
import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS
import Synchronization
import TestSupport
import Testing

/// A TLS server on a port chosen by the kernel. It echoes the first bytes it receives, and closes.
struct EchoServer: Sendable {
    let certificates: ServedCertificates
    let port: Int
    let recorder: EventRecorder

    /// Records the events that reach the handler behind TLS.
    final class EventRecorder: Sendable {
        enum Event: Equatable, Sendable {
            case handshake(String?)
            case bytes(String)
            case inactive
        }

        private let list = Mutex<[Event]>([])
        var events: [Event] { list.withLock { $0 } }
        func add(_ event: Event) { list.withLock { $0.append(event) } }
    }

    /// Builds the pipeline as Hummingbird does: the ClientHello handler is added in front of the existing ones.
    static func with<R>(
        _ certificates: ServedCertificates, withHandler: Bool = true, _ body: (EchoServer) async throws -> R
    ) async throws -> R {
        let recorder = EventRecorder()
        var configuration = certificates.tlsConfiguration()
        configuration.applicationProtocols = ["h2", "http/1.1"]
        configuration.shutdownTimeout = .seconds(1)
        let context = try NIOSSLContext(configuration: configuration)
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 256)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(NIOSSLServerHandler(context: context))
                    try pipeline.addHandler(Echo(recorder))
                    if withHandler { try pipeline.addHandler(ClientHelloHandler(certificates), position: .first) }
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(channel.localAddress?.port)
        let result: R
        do {
            result = try await body(EchoServer(certificates: certificates, port: port, recorder: recorder))
        } catch {
            try await channel.close().get()
            throw error
        }
        try await channel.close().get()
        return result
    }

    /// Waits until `count` connections have ended.
    func ended(_ count: Int) async throws {
        try await eventually("\(count) connections have ended") {
            recorder.events.count { $0 == .inactive } >= count
        }
        #expect(recorder.events.count(where: { $0 == .inactive }) == count)
    }

    private final class Echo: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let recorder: EventRecorder

        init(_ recorder: EventRecorder) {
            self.recorder = recorder
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = unwrapInboundIn(data)
            recorder.add(.bytes(String(buffer: bytes)))
            context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
            context.close(promise: nil)
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if case .handshakeCompleted(let name)? = event as? TLSUserEvent { recorder.add(.handshake(name)) }
        }

        func channelInactive(context: ChannelHandlerContext) { recorder.add(.inactive) }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}

/// A development certificate as `--dev` makes it; each has its own key.
func someCertificate(_ name: String = "node.example") throws -> ServableCertificate {
    let made = try DevelopmentCertificate(name: name, now: Date())
    return try ServableCertificate(
        certificatePEM: Array(made.certificatePEM.utf8), privateKeyPEM: Array(made.privateKeyPEM.utf8))
}
