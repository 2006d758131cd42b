import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization
import TestSupport
import Testing

/// A fake monitor with real TLS on a free port, with scripted behavior.
struct FakeMonitorServer: Sendable {
    enum Behavior: Sendable {
        case answer(HTTPResponseStatus, headers: HTTPHeaders = [:], body: String = #"{"ok":true}"#)
        /// Echoes the request, as some error pages do.
        case echo(HTTPResponseStatus)
        case silence
        /// Head and one byte, and no end.
        case halfAnAnswer
        /// Endless bytes.
        case flood
    }

    struct Request: Sendable {
        var head: HTTPRequestHead
        var body: String
    }

    final class RequestLog: Sendable {
        private let list = Mutex<[Request]>([])
        private let count = Mutex(0)
        var requests: [Request] { list.withLock { $0 } }
        var connections: Int { count.withLock { $0 } }
        func add(_ request: Request) { list.withLock { $0.append(request) } }
        func connect() { count.withLock { $0 += 1 } }
    }

    let port: Int
    let requestLog: RequestLog
    /// Certificate and key in PEM.
    let certificate: String

    var url: String { "https://localhost:\(port)/api/push/tok3n" }

    static func with<R>(
        _ behavior: Behavior, name: String = "localhost", in folder: Scratch,
        _ body: (FakeMonitorServer) async throws -> R
    ) async throws -> R {
        let made = try makeCertificate(for: name, in: folder)
        let chain = try NIOSSLCertificate.fromPEMFile(made).map { NIOSSLCertificateSource.certificate($0) }
        let key = NIOSSLPrivateKeySource.privateKey(try NIOSSLPrivateKey(file: made, format: .pem))
        let context = try NIOSSLContext(
            configuration: .makeServerConfiguration(certificateChain: chain, privateKey: key))
        let requestLog = RequestLog()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    requestLog.connect()
                    try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Handler(behavior, requestLog))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let result: Result<R, any Error>
        do {
            let port = try #require(channel.localAddress?.port)
            result = .success(try await body(FakeMonitorServer(port: port, requestLog: requestLog, certificate: made)))
        } catch {
            result = .failure(error)
        }
        try await channel.close().get()
        return try result.get()
    }

    /// Creates a self-signed certificate and its key with OpenSSL, in one file.
    private static func makeCertificate(for name: String, in folder: Scratch) throws -> String {
        let file = "\(folder.path)/\(UUID().uuidString).pem"
        _ = try Tool(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                "/CN=\(name)", "-addext", "subjectAltName=DNS:\(name)", "-keyout", file, "-out", "\(file).crt",
            ])
        let both =
            try String(contentsOfFile: "\(file).crt", encoding: .utf8) + String(contentsOfFile: file, encoding: .utf8)
        try Data(both.utf8).write(to: URL(fileURLWithPath: file))
        return file
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let behavior: Behavior
        private let requestLog: RequestLog
        private var request: Request?

        init(_ behavior: Behavior, _ requestLog: RequestLog) {
            self.behavior = behavior
            self.requestLog = requestLog
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): request = Request(head: head, body: "")
            case .body(let part): request?.body += String(buffer: part)
            case .end:
                guard let request else { return }
                requestLog.add(request)
                answer(request, context)
            }
        }

        private func answer(_ request: Request, _ context: ChannelHandlerContext) {
            switch behavior {
            case .answer(let status, let headers, let body): write(status, headers, body, context)
            case .echo(let status): write(status, ["X-Asked": request.head.uri], request.head.uri, context)
            case .silence: break
            case .halfAnAnswer:
                head(.ok, ["Content-Length": "100"], context)
                context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: "{")))), promise: nil)
            case .flood:
                head(.ok, [:], context)
                flood(context)
            }
        }

        private func head(_ status: HTTPResponseStatus, _ headers: HTTPHeaders, _ context: ChannelHandlerContext) {
            context.write(
                wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers))),
                promise: nil)
        }

        private func write(
            _ status: HTTPResponseStatus, _ headers: HTTPHeaders, _ body: String, _ context: ChannelHandlerContext
        ) {
            var headers = headers
            headers.add(name: "Content-Length", value: "\(body.utf8.count)")
            head(status, headers, context)
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: body)))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }

        private func flood(_ context: ChannelHandlerContext) {
            let part = wrapOutboundOut(.body(.byteBuffer(ByteBuffer(repeating: 0x20, count: 1024))))
            let loop = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            // Each write in its own event loop turn: while the socket accepts everything, nested calls would overflow
            // the stack.
            context.writeAndFlush(part).whenSuccess {
                loop.eventLoop.execute { loop.value.0.flood(loop.value.1) }
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
