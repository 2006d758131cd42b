import Foundation
import Logging
import Monitor
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization
import TestSupport
import Testing

/// The sender against a real server over real TLS.
@Suite(.timeLimit(.minutes(2))) struct WebServerTests {
    private static func sender(_ server: WebServer, _ path: String, _ web: WebSender) throws -> ChannelSender {
        let factory = ChannelFactory(
            send: web.send, post: ScriptedNetwork().post
        ) { file in
            Array(file == "/url" ? "https://localhost:\(server.port)\(path)".utf8 : "signing key".utf8)
        }
        let hook = ChannelSettings(name: "hook", kind: .webhook(.init(urlFile: "/url", keyFile: "/key")))
        return try factory.senders(NotificationSettings(channels: [hook]))[0]
    }

    private func deliver(_ path: String, trusting: Bool = true) async throws -> (WebServer.Seen?, DeliveryFailure?) {
        try await WebServer.with { server in
            let web = try WebSender(trustedPEM: trusting ? server.certificate : nil)
            let message = aMessage()
            let sender = try Self.sender(server, path, web)
            var failure: DeliveryFailure?
            do throws(DeliveryFailure) {
                try await sender.send(message, message.at)
            } catch {
                failure = error
            }
            try await web.shutdown()
            return (server.seen.first, failure)
        }
    }

    @Test func aWebhookArrivesWithItsHeaders() async throws {
        let (seen, failure) = try await deliver("/hooks/9f8e7d6c5b?x=1")
        #expect(failure == nil)
        let request = try #require(seen)
        #expect(request.head.method == .POST)
        #expect(request.head.uri == "/hooks/9f8e7d6c5b?x=1")
        #expect(request.head.headers.first(name: "Idempotency-Key") == aMessage().key)
        #expect(request.head.headers.first(name: "Content-Type") == "application/json")
        #expect(request.head.headers.first(name: "X-Clavitor-Signature")?.hasPrefix("t=1709312400,v1=") == true)
        let json = try JSONSerialization.jsonObject(with: Data(request.body.utf8)) as? NSDictionary
        #expect(json?["key"] as? String == aMessage().key)
    }

    @Test func anEndlessResponseIsReadInPart() async throws {
        let (_, failure) = try await deliver("/endless/9f8e7d6c5b")
        let failed = try #require(failure)
        #expect(failed.kind == .temporary)
        #expect(failed.description.hasPrefix("hook: localhost:"))
        #expect(failed.description.count <= 260)
    }

    @Test func aRedirectIsNotFollowed() async throws {
        let (_, failure) = try await deliver("/away/9f8e7d6c5b")
        #expect(failure?.kind == .rejected)
        #expect(failure?.description.hasSuffix("answered 302") == true)
    }

    @Test func anUntrustedServerGetsNothing() async throws {
        let (seen, failure) = try await deliver("/hooks/9f8e7d6c5b", trusting: false)
        #expect(seen == nil)
        #expect(failure?.description.contains("its certificate is not trusted") == true)
    }

    @Test func secretsInAResponseAreRedacted() async throws {
        let (_, failure) = try await deliver("/echo/9f8e7d6c5b?token=s3cr3ts3cr3t")
        let failed = try #require(failure)
        #expect(failed.description.contains("answered 400: you asked for "))
        #expect(!failed.description.contains("9f8e7d6c5b"))
        #expect(!failed.description.contains("s3cr3t"))
    }
}

/// An HTTPS server on a port that the kernel chose.
struct WebServer: Sendable {
    struct Seen: Sendable {
        let head: HTTPRequestHead
        let body: String
    }

    let port: Int
    /// PEM.
    let certificate: [UInt8]
    private let log: Log
    var seen: [Seen] { log.all.withLock { $0 } }

    final class Log: Sendable { let all = Mutex<[Seen]>([]) }

    static func with<R: Sendable>(_ body: (WebServer) async throws -> R) async throws -> R {
        let scratch = try Scratch()
        let files = try await scratch.makeCertificate()
        let context = try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: NIOSSLCertificate.fromPEMFile(files.certificate).map { .certificate($0) },
                privateKey: .privateKey(NIOSSLPrivateKey(file: files.key, format: .pem))))
        let log = Log()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Answerer(log))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let server = WebServer(
            port: try #require(channel.localAddress?.port),
            certificate: Array(try scratch.text("certificate.pem").utf8),
            log: log)
        let result: Result<R, any Error>
        do {
            result = .success(try await body(server))
        } catch {
            result = .failure(error)
        }
        try await channel.close().get()
        return try result.get()
    }

    private final class Answerer: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let log: Log
        private var head: HTTPRequestHead?
        private var body = ""

        init(_ log: Log) { self.log = log }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): (self.head, body) = (head, "")
            case .body(let bytes): body += String(buffer: bytes)
            case .end:
                guard let head else { return }
                log.all.withLock { $0.append(Seen(head: head, body: body)) }
                answer(head.uri, context)
            }
        }

        private func answer(_ uri: String, _ context: ChannelHandlerContext) {
            let (status, text): (HTTPResponseStatus, String) =
                switch uri.split(separator: "/").first {
                case "endless": (.internalServerError, String(repeating: "on and on ", count: 400_000))
                case "away": (.found, "")
                case "echo": (.badRequest, "you asked for https://localhost\(uri) or \(uri)")
                default: (.ok, "")
                }
            var head = HTTPResponseHead(version: .http1_1, status: status)
            head.headers.add(name: "Content-Length", value: "\(text.utf8.count)")
            if status == .found { head.headers.add(name: "Location", value: "https://example.org/") }
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
