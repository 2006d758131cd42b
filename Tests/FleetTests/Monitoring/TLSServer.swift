import Fleet
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// An HTTPS server on port 443 of one of the machine's addresses, with its own certificate authority.
final class TLSServer: Sendable {
    struct Request: Equatable, Sendable {
        var line: String
        var authorization: String?
        var body: String
    }

    typealias Answer = @Sendable (Request) -> (status: Int, body: String)

    static let isPossible = getuid() == 0 && FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl")

    let caFile: String
    private let channel: any Channel

    /// Listens with a certificate for this name. Keys and certificate are in the directory.
    init(name: String, address: String, folder: String, answer: @escaping Answer) async throws {
        let base = "\(folder)/\(name)"
        let outcome = try await SystemProcesses().run(
            ChildProcess(
                "openssl",
                [
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=\(name)", "-addext", "subjectAltName=DNS:\(name)", "-keyout", "\(base).key", "-out",
                    "\(base).pem",
                ], deadline: .seconds(120)))
        guard outcome.status == 0 else { throw ChildError.failed("openssl", outcome.errors) }
        caFile = "\(base).pem"
        let configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(caFile).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: "\(base).key", format: .pem)))
        let context = try NIOSSLContext(configuration: configuration)
        channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Handler(answer))
                }
            }
            .bind(host: address, port: 443).get()
    }

    func stop() async throws { try await channel.close() }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let answer: Answer
        private var request = Request(line: "", body: "")

        init(_ answer: @escaping Answer) { self.answer = answer }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                request = Request(
                    line: "\(head.method) \(head.uri)", authorization: head.headers.first(name: "Authorization"),
                    body: "")
            case .body(let part): request.body += String(buffer: part)
            case .end:
                let (status, body) = answer(request)
                let head = HTTPResponseHead(
                    version: .http1_1, status: .init(statusCode: status),
                    headers: ["Content-Length": "\(body.utf8.count)", "Connection": "close"])
                context.write(wrapOutboundOut(.head(head)), promise: nil)
                context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: body)))), promise: nil)
                context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
                context.close(promise: nil)
            }
        }
    }
}
