import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOSSL
import TestSupport
import Wire

/// `clavitor-monitor serve --dev` as a process, with an operator, a tool's token and a client.
final class ServedMonitor {
    let scratch: Scratch
    let data: String
    private var running: RunningTool?
    private(set) var port = 0
    let token: String
    let client: HTTPClient
    private let configuration: String
    private let nodes: String
    private let hurry: Int
    /// The file size limit of the process, in blocks of 512 bytes.
    private let fileBlocks: Int?
    static let password = "five words make a password"

    var certificate: String { "\(data)/dev-cert.pem" }
    var log: String { (try? scratch.text("monitor.log")) ?? "" }
    private var arguments: [String] {
        [
            "serve", "--dev", "--data", data, "--config", configuration, "--nodes", nodes, "--hurry", "\(hurry)",
            "--https", "127.0.0.1:\(port)",
        ]
    }

    /// - Parameters:
    ///   - configuration: Lines of the TOML file.
    ///   - places: Node locations, as in the file of nodes.
    ///   - hurry: The factor by which time runs faster.
    ///   - fileBlocks: The file size limit in blocks of 512 bytes, which simulates a full disk.
    /// - Throws: When it does not start.
    init(
        configuration: String = "", places: NodesBody = NodesBody(nodes: []), hurry: Int = 10, fileBlocks: Int? = nil
    ) async throws {
        self.hurry = hurry
        self.fileBlocks = fileBlocks
        scratch = try Scratch()
        data = scratch.file("monitor")
        self.configuration = try scratch.write(configuration, to: "monitor.toml")
        nodes = try scratch.write(String(decoding: try JSONEncoder().encode(places), as: UTF8.self), to: "nodes.json")
        let program = Program(name: "clavitor-monitor")
        _ = try program.run(["operator", "add", "soc", "--data", data], input: Self.password + "\n")
        token = try program.run(["token", "add", "soc", "--data", data]).output
            .trimmingCharacters(in: .whitespacesAndNewlines)
        _ = try scratch.write(token, to: "token")
        client = HTTPClient(eventLoopGroupProvider: .singleton)
        try await start()
    }

    deinit {
        running?.kill()
        try? client.syncShutdown()
        scratch.remove()
    }

    private func start() async throws {
        let before = log.ranges(of: "\"message\":\"serving\"").count
        let process = try launch(log: scratch.file("monitor.log"))
        running = process
        try await process.wait { $0.text.ranges(of: "\"message\":\"serving\"").count > before }
        if port == 0, let found = log.firstMatch(of: /127\.0\.0\.1:(\d+)"/) { port = Int(found.1) ?? 0 }
    }

    private func launch(log: String) throws -> RunningTool {
        let program = Program(name: "clavitor-monitor")
        guard let fileBlocks else { return try program.start(arguments, output: log, errors: log) }
        return try RunningTool(
            "/bin/sh",
            ["-c", "trap '' XFSZ; ulimit -S -f \(fileBlocks); exec \"$@\"", "sh", program.url.path] + arguments,
            output: log, errors: log)
    }

    func liftFileLimit() throws {
        guard let id = running?.id else { return }
        _ = try Tool("/usr/bin/prlimit", ["--pid", "\(id)", "--fsize=unlimited:unlimited"])
    }

    func kill9AndStartAgain() async throws {
        running?.kill()
        try await start()
    }

    /// Adds a node, and writes its push URL to a file.
    func addNode(_ name: String) throws -> String {
        try scratch.write(try addNodes([name]).joined(), to: "\(name).url")
    }

    /// The nodes' push URLs.
    func addNodes(_ names: [String]) throws -> [String] {
        let added = try Program(name: "clavitor-monitor").run(
            ["node", "add"] + names + ["--region", "asia", "--data", data, "--url", "https://localhost:\(port)"])
        return added.output.split(whereSeparator: \.isNewline).map(String.init)
    }

    struct Answer {
        var status: Int
        var headers: HTTPHeaders
        var body: String

        func json<Body: Decodable>(_: Body.Type = Body.self) throws -> Body {
            try JSONDecoder().decode(Body.self, from: Data(body.utf8))
        }
    }

    func send(
        _ method: HTTPMethod, _ path: String, headers: HTTPHeaders = [:], body: String? = nil
    ) async throws -> Answer {
        try await send(method, url: path.hasPrefix("https") ? path : "https://localhost:\(port)\(path)", headers, body)
    }

    private func send(
        _ method: HTTPMethod, url: String, _ headers: HTTPHeaders, _ body: String?
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: url)
        request.method = method
        request.headers = headers
        if let body { request.body = .bytes(ByteBuffer(string: body)) }
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = .file(certificate)
        request.tlsConfiguration = tls
        let response = try await client.execute(request, timeout: .seconds(120))
        let bytes = try await response.body.collect(upTo: 16 << 20)
        return Answer(
            status: Int(response.status.code), headers: response.headers,
            body: String(decoding: bytes.readableBytesView, as: UTF8.self))
    }

    /// Requests as the tool with the token.
    func get(_ path: String) async throws -> Answer {
        try await send(.GET, path, headers: ["Authorization": "Bearer \(token)"])
    }

    struct Fleet: Decodable {
        struct Node: Decodable {
            var name: String
            var state: String
            var body: Heartbeat?
        }
        struct Incident: Decodable {
            var id: Int64
            var key: String
            var severity: String
        }
        var nodes: [Node]
        var incidents: [Incident]
    }

    func fleet() async throws -> Fleet { try await get("/api/v1/fleet").json() }

    /// Whether the condition becomes true within three minutes.
    func sees(_ condition: (Fleet) -> Bool) async throws -> Bool {
        do {
            try await eventually("", every: .milliseconds(200)) { condition(try await fleet()) }
            return true
        } catch is NeverHappened {
            return false
        }
    }
}

/// An unauthenticated client of the monitor.
struct Visitor: Sendable {
    private let client: HTTPClient
    private let base: String
    private let certificate: String

    init(_ monitor: ServedMonitor) {
        client = monitor.client
        base = "https://localhost:\(monitor.port)"
        certificate = monitor.certificate
    }

    /// The status of the response.
    func get(_ path: String) async throws -> Int { try await send(HTTPClientRequest(url: base + path)) }

    func post(_ path: String, _ body: String) async throws -> Int {
        var request = HTTPClientRequest(url: base + path)
        request.method = .POST
        request.body = .bytes(ByteBuffer(string: body))
        return try await send(request)
    }

    private func send(_ request: HTTPClientRequest) async throws -> Int {
        var request = request
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = .file(certificate)
        request.tlsConfiguration = tls
        let response = try await client.execute(request, timeout: .seconds(120))
        _ = try await response.body.collect(upTo: 1 << 16)
        return Int(response.status.code)
    }
}
