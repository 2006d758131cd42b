import NIOCore
import NIOPosix
import Testing

/// ClientHellos of real clients, recorded from a socket.
enum RecordedHello {
    static func openSSL(_ arguments: [String]) async throws -> [UInt8] {
        try await record { port in _ = try await OpenSSL.visit(port, arguments) }
    }

    /// With the key share of X25519MLKEM768, as browsers send it.
    static func boringSSL() async throws -> [UInt8] {
        try await record { port in _ = try? await TLSClient.connect(port) }
    }

    private static func record(_ visit: (Int) async throws -> Void) async throws -> [UInt8] {
        let hello = MultiThreadedEventLoopGroup.singleton.any().makePromise(of: [UInt8].self)
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Recorder(hello))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(channel.localAddress?.port)
        do { try await visit(port) } catch { hello.fail(error) }
        let bytes = try await hello.futureResult.get()
        try await channel.close().get()
        return bytes
    }

    /// Records the first TLS record and closes.
    private final class Recorder: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let hello: EventLoopPromise<[UInt8]>
        private var bytes = ByteBuffer()

        init(_ hello: EventLoopPromise<[UInt8]>) {
            self.hello = hello
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            bytes.writeImmutableBuffer(unwrapInboundIn(data))
            guard let length = bytes.getInteger(at: 3, as: UInt16.self), bytes.readableBytes >= 5 + Int(length) else {
                return
            }
            hello.succeed(Array(buffer: bytes))
            context.close(promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) { hello.fail(ChannelError.eof) }
    }
}

/// Hand-made hellos that no client sends.
enum MadeHello {
    /// A hello with these extensions; nil for a hello without an extension block.
    static func message(extensions: [UInt8]?) -> [UInt8] {
        let fixed = [3, 3] + [UInt8](repeating: 7, count: 32) + [0] + [0, 2, 0x13, 0x01] + [1, 0]
        let body = fixed + (extensions.map { prefixed($0) } ?? [])
        return [1, 0] + prefixed(body)
    }

    static func records(_ message: [UInt8], each size: Int = 16_384) -> [UInt8] {
        stride(from: 0, to: message.count, by: size).flatMap { start in
            [22, 3, 1] + prefixed(Array(message[start..<min(start + size, message.count)]))
        }
    }

    static func `extension`(_ type: UInt8, _ content: [UInt8]) -> [UInt8] { [0, type] + prefixed(content) }

    static func serverName(_ name: String) -> [UInt8] { `extension`(0, prefixed([0] + prefixed(Array(name.utf8)))) }

    static func protocols(_ names: [String]) -> [UInt8] {
        `extension`(16, prefixed(names.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }))
    }

    static func prefixed(_ bytes: [UInt8]) -> [UInt8] {
        [UInt8(bytes.count >> 8), UInt8(bytes.count & 0xFF)] + bytes
    }
}
