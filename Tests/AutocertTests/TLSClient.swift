import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS

/// A TLS client that keeps its connection open, and a raw TCP client.
struct TLSClient: Sendable {
    let channel: any Channel
    let certificate: NIOSSLCertificate?
    private let rest: EventLoopFuture<[UInt8]>

    /// Returns when the handshake is complete; throws when it fails.
    static func connect(_ port: Int, name: String? = "node.example", byteByByte: Bool = false) async throws -> TLSClient
    {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .none
        let context = try NIOSSLContext(configuration: configuration)
        return try await connect(port) { channel, listener in
            let pipeline = channel.pipeline.syncOperations
            if byteByByte { try pipeline.addHandler(Splitter()) }
            try pipeline.addHandler(NIOSSLClientHandler(context: context, serverHostname: name))
            try pipeline.addHandler(listener)
        }
    }

    /// Sends `bytes` without TLS, half-closes the connection if `ending`, and returns everything received.
    static func send(_ bytes: [UInt8], to port: Int, ending: Bool = false) async throws -> [UInt8] {
        let end = MultiThreadedEventLoopGroup.singleton.any().makePromise(of: [UInt8].self)
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: false)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Listener(nil, end))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        try await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get()
        if ending { try await channel.close(mode: .output).get() }
        return try await end.futureResult.get()
    }

    /// Sends text and returns everything received until the server closes.
    func ask(_ text: String) async throws -> String {
        try await channel.writeAndFlush(ByteBuffer(string: text)).get()
        return String(decoding: try await rest.get(), as: UTF8.self)
    }

    func close() async throws { try await channel.close().get() }

    private static func connect(
        _ port: Int, _ build: @escaping @Sendable (any Channel, Listener) throws -> Void
    ) async throws -> TLSClient {
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let handshake = loop.makePromise(of: NIOSSLCertificate?.self)
        let end = loop.makePromise(of: [UInt8].self)
        do {
            let channel = try await ClientBootstrap(group: loop)
                .channelOption(.socketOption(.tcp_nodelay), value: 1)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture { try build(channel, Listener(handshake, end)) }
                }
                .connect(host: "127.0.0.1", port: port).get()
            return TLSClient(
                channel: channel, certificate: try await handshake.futureResult.get(), rest: end.futureResult)
        } catch {
            handshake.fail(error)
            end.fail(error)
            throw error
        }
    }

    private final class Listener: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let handshake: EventLoopPromise<NIOSSLCertificate?>?
        private let end: EventLoopPromise<[UInt8]>
        private var received: [UInt8] = []

        init(_ handshake: EventLoopPromise<NIOSSLCertificate?>?, _ end: EventLoopPromise<[UInt8]>) {
            self.handshake = handshake
            self.end = end
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            received += Array(buffer: unwrapInboundIn(data))
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            guard case .handshakeCompleted? = event as? TLSUserEvent else { return }
            handshake?.succeed(try? context.pipeline.syncOperations.nioSSL_peerCertificate())
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            handshake?.fail(error)
            context.close(promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) {
            handshake?.fail(ChannelError.eof)
            end.succeed(received)
        }
    }

    /// Writes each byte separately.
    private final class Splitter: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            var bytes = unwrapOutboundIn(data)
            while bytes.readableBytes > 1, let byte = bytes.readSlice(length: 1) {
                context.writeAndFlush(wrapOutboundOut(byte), promise: nil)
            }
            context.writeAndFlush(wrapOutboundOut(bytes), promise: promise)
        }
    }
}
