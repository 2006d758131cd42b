import Foundation
import Monitor
import NIOCore
import NIOPosix
import TestSupport
import Testing

/// Mail servers that misbehave in ways that a real one does not on request.
@Suite(.timeLimit(.minutes(1))) struct MailTroubleTests {
    private func send(
        _ probeResults: [String: String], _ security: ChannelSettings.Email.Security,
        onConnection: @escaping @Sendable () -> Void = {}
    ) async throws {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Parrot(probeResults, onConnection))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        defer { channel.close(promise: nil) }
        let settings = ChannelSettings.Email(
            host: "127.0.0.1", port: try #require(channel.localAddress?.port), security: security,
            from: "a@example.org", to: ["b@example.org"])
        let message = aMessage("mail")
        let mail = Mail(message, from: settings.from, to: settings.to[0], dashboard: nil, at: message.at)
        try await MailSender().send(MailAccount(settings, password: nil, channel: "mail"), mail)
    }

    @Test func dataAfterSTARTTLSIsRejected() async throws {
        await #expect {
            try await send(
                [
                    "": "220 hi\r\n", "EHLO": "250-hi\r\n250 STARTTLS\r\n",
                    "STARTTLS": "220 go\r\n250-x\r\n250 AUTH\r\n",
                ],
                .starttls)
        } throws: { error in
            "\(error)".hasSuffix("sent data after its response to STARTTLS")
        }
    }

    struct Trouble: CustomTestStringConvertible {
        let testDescription: String
        let probeResults: [String: String]
        let error: String
    }

    @Test(arguments: [
        Trouble(
            testDescription: "it is a web server", probeResults: ["": "HTTP/1.1 200 OK\r\n"],
            error: "does not speak SMTP"),
        Trouble(
            testDescription: "an endless reply",
            probeResults: ["": String(repeating: "220-a\r\n", count: 9_000)],
            error: "sent a reply longer than 16384 bytes"),
        Trouble(
            testDescription: "it closes the connection", probeResults: ["": "220 hi\r\n", "EHLO": "(close)"],
            error: "closed the connection before accepting the mail"),
    ])
    func theErrorNamesTheProblem(_ trouble: Trouble) async throws {
        await #expect { try await send(trouble.probeResults, .none) } throws: { error in
            (error as? DeliveryFailure)?.kind == .temporary && "\(error)".hasSuffix(trouble.error)
        }
    }

    @Test func waitingForAReplyIsCancellable() async throws {
        let connected = AsyncGate()
        let task = Task { try await send([:], .none) { connected.open() } }
        await connected.wait()
        task.cancel()
        await #expect(throws: DeliveryFailure.self) { try await task.value }
    }

    /// Answers each line by its first word, and the connection by "".
    private final class Parrot: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let probeResults: [String: String]
        private let onConnection: @Sendable () -> Void

        init(_ probeResults: [String: String], _ onConnection: @escaping @Sendable () -> Void) {
            (self.probeResults, self.onConnection) = (probeResults, onConnection)
        }

        func channelActive(context: ChannelHandlerContext) {
            onConnection()
            say("", context)
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let line = String(buffer: unwrapInboundIn(data))
            say(String(line.prefix { $0.isLetter }), context)
        }

        private func say(_ word: String, _ context: ChannelHandlerContext) {
            guard let answer = probeResults[word] else { return }
            if answer == "(close)" { return context.close(promise: nil) }
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
