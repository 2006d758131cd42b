import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import TestSupport
import Testing

/// An HTTPS server with a self-signed certificate and scripted responses.
struct SecureServer: Sendable {
    struct Request: Sendable {
        var method: HTTPMethod
        var uri: String
        var headers: HTTPHeaders
        var body: String
    }

    struct Response: Sendable {
        var status: HTTPResponseStatus = .ok
        var headers: HTTPHeaders = [:]
        var body = ""
    }

    /// Nil: no response.
    typealias Conduct = @Sendable (Request) -> Response?

    let port: Int
    /// The path of the certificate in PEM.
    let certificate: String

    static func with<R>(
        names: [String] = ["localhost"], host: String = "127.0.0.1", in folder: String, conduct: @escaping Conduct,
        _ body: (SecureServer) async throws -> R
    ) async throws -> R {
        let certificate = "\(folder)/\(UUID().uuidString).pem"
        try certify(names, certificate)
        let context = try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: try NIOSSLCertificate.fromPEMFile(certificate).map { .certificate($0) },
                privateKey: .privateKey(try NIOSSLPrivateKey(file: "\(certificate).key", format: .pem))))
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Handler(conduct))
                }
            }
            .bind(host: host, port: 0).get()
        let result: Result<R, any Error>
        do {
            let port = try #require(channel.localAddress?.port)
            result = .success(try await body(SecureServer(port: port, certificate: certificate)))
        } catch {
            result = .failure(error)
        }
        try await channel.close().get()
        return try result.get()
    }

    private static func certify(_ names: [String], _ path: String) throws {
        _ = try Tool(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                "/CN=test", "-addext", "subjectAltName=" + names.map { "DNS:\($0)" }.joined(separator: ","), "-keyout",
                "\(path).key", "-out", path,
            ])
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let conduct: Conduct
        private var request: Request?

        init(_ conduct: @escaping Conduct) { self.conduct = conduct }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                request = Request(method: head.method, uri: head.uri, headers: head.headers, body: "")
            case .body(let part): request?.body += String(buffer: part)
            case .end:
                guard let request, let response = conduct(request) else { return }
                var headers = response.headers
                headers.add(name: "Content-Length", value: "\(response.body.utf8.count)")
                let head = HTTPResponseHead(version: .http1_1, status: response.status, headers: headers)
                context.write(wrapOutboundOut(.head(head)), promise: nil)
                context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: response.body)))), promise: nil)
                context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
