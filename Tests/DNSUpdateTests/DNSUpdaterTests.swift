import DNSUpdate
import NIOCore
import NIOPosix
import TestSupport
import Testing

/// Failing connections.
@Suite(.timeLimit(.minutes(15))) struct DNSUpdaterTests {
    /// Runs a server with the given behaviour for each connection.
    private static func with(_ response: Behaviour, body: (_ port: Int) async throws -> Void) async throws {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Server(response: response))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await body(channel.localAddress?.port ?? 0)) } catch { outcome = .failure(error) }
        try await channel.close()
        try outcome.get()
    }

    enum Behaviour: Sendable {
        /// Reports the request and sends nothing.
        case silence(asked: AsyncStream<Void>.Continuation?)
        case close
        /// Sends these parts and closes; the request's id is inserted at the third byte.
        case parts([[UInt8]])
    }

    private final class Server: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let response: Behaviour
        private var received: [UInt8] = []
        private var hasResponded = false

        init(response: Behaviour) { self.response = response }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            received += [UInt8](buffer: unwrapInboundIn(data))
            guard received.count >= 4, !hasResponded else { return }
            hasResponded = true
            switch response {
            case .silence(let asked): asked?.yield()
            case .close: context.close(promise: nil)
            case .parts(let parts):
                var position = 0
                var last = context.eventLoop.makeSucceededVoidFuture()
                for part in parts {
                    let bytes = part.enumerated().map { index, byte in
                        (2...3).contains(position + index) ? received[position + index] : byte
                    }
                    position += part.count
                    last = context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)))
                }
                let channel = context.channel
                last.whenComplete { _ in channel.close(promise: nil) }
            }
        }
    }

    private func updater(_ port: Int, host: String = "127.0.0.1", timeout: Duration = .seconds(10)) throws -> DNSUpdater
    {
        DNSUpdater(server: (host, port), zone: try DNSName("example.org"), key: nil, timeout: timeout, now: { 0 })
    }

    @Test func aServerThatIsDownIsNamed() async throws {
        let port = try FreePort.take(on: "127.0.0.1")
        let error = await #expect(throws: DNSUpdateError.self) { try await updater(port).perform([]) }
        guard case .unreachable(let server, let reason) = error else {
            Issue.record("\(error.debugDescription)")
            return
        }
        #expect(server == "127.0.0.1:\(port)")
        #expect(reason.contains("Connection refused"))
        #expect(error?.description.contains("Check its address") == true)
    }

    @Test func aServerWithoutAnAddressIsNamed() async throws {
        let error = await #expect(throws: DNSUpdateError.self) {
            try await updater(53, host: "no..name").perform([])
        }
        #expect(error == .unreachable(server: "no..name:53", reason: "unknown host"))
    }

    @Test func aSilentServerTimesOut() async throws {
        try await Self.with(.silence(asked: nil)) { port in
            await #expect(throws: DNSUpdateError.timedOut(server: "127.0.0.1:\(port)")) {
                try await updater(port, timeout: .milliseconds(100)).perform([])
            }
        }
    }

    @Test func cancellationEndsTheWait() async throws {
        let (questions, asked) = AsyncStream<Void>.makeStream()
        try await Self.with(.silence(asked: asked)) { port in
            let updater = try updater(port, timeout: .seconds(3600))
            await withTaskGroup(of: Void.self) { tasks in
                tasks.addTask { await #expect(throws: CancellationError.self) { try await updater.perform([]) } }
                _ = await questions.first { _ in true }
                tasks.cancelAll()
            }
        }
    }

    @Test func aServerThatClosesTheConnectionIsNamed() async throws {
        let short: [UInt8] = [0, 12, 0, 0, 0xa8, 0]
        for response in [Behaviour.close, .parts([short]), .parts([[0]])] {
            try await Self.with(response) { port in
                await #expect(throws: DNSUpdateError.closed(server: "127.0.0.1:\(port)")) {
                    try await updater(port).perform([])
                }
            }
        }
    }

    @Test func ofSeveralAddressesOneSuffices() async throws {
        // `localhost` often has `::1` too, where no server listens.
        try await Self.with(.parts([Self.success])) { port in
            try await updater(port, host: "localhost").perform([])
        }
    }

    private static let success: [UInt8] = [0, 12, 0, 0, 0xa8, 0, 0, 0, 0, 0, 0, 0, 0, 0]

    @Test func aResponseMayArriveInPieces() async throws {
        try await Self.with(.parts(Self.success.map { [$0] })) { port in try await updater(port).perform([]) }
    }

    @Test func aResponseMayHaveTheMaximumLength() async throws {
        // One record of the type NULL in the second section, which fills the message.
        let record = [0, 0, 10, 0, 1, 0, 0, 0, 0, 0xff, 0xe8] + [UInt8](repeating: 0, count: 65_512)
        let whole = [0xff, 0xff, 0, 0, 0xa8, 0, 0, 0, 0, 1, 0, 0, 0, 0] + record
        try await Self.with(.parts([whole])) { port in try await updater(port).perform([]) }
    }

    @Test func anotherProtocolIsNotDNS() async throws {
        // The first two bytes are parsed as a length, as in DNS over TCP.
        let text = Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8) + [UInt8](repeating: 0x20, count: 20_000)
        try await Self.with(.parts([text])) { port in
            await #expect(throws: DNSUpdateError.malformedResponse(.notAResponse)) {
                try await updater(port).perform([])
            }
        }
    }
}
