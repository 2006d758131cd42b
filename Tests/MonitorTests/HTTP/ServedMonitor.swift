import AsyncHTTPClient
import Autocert
import Foundation
import Hummingbird
import Logging
import Monitor
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import SQLite
import ServerRuntime
import ServiceLifecycle
import TestSupport
import Wire

/// A monitor in this process behind the real server with TLS, with a manual clock.
struct ServedMonitor: Sendable {
    let api: MonitorAPI
    let store: MonitorStore
    let clock: LiveWatch.ManualClock
    let tokens: [String: PushToken]
    /// Token of an operator's tool.
    let token: String
    let port: Int
    let scratch: Scratch
    let client: HTTPClient

    /// In PEM, of the name `localhost`.
    var certificate: String { scratch.file("cert.pem") }

    static func with<R: Sendable>(
        _ names: [String] = ["tokyo"], region: String = "asia", channel: String = "mail",
        body: @escaping @Sendable (ServedMonitor) async throws -> R
    ) async throws -> R {
        let scratch = try Scratch()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let clock = LiveWatch.ManualClock()
        let store = try MonitorStore(path: scratch.file("monitor.db"))
        let tokens = Dictionary(uniqueKeysWithValues: names.map { ($0, PushToken()) })
        for (name, token) in tokens {
            try await store.addNode(MonitoredNode(name, region: region), tokenHash: token.hash, now: 0)
        }
        let watch = try await Watch(
            store: store,
            locations: names.map { NodeLocation(name: $0, city: "A city", latitude: 35.7, longitude: 139.7) },
            dependencies: .init(now: { clock.now }), logger: logger
        ) { _, record in _ = try await store.database.write(record) }
        let operators = Operators(store: store, now: { clock.now.wall })
        // Without a password: deriving one is slow, and tools need none.
        _ = try await store.database.write { db in
            try db.run("INSERT INTO operator (name, salt, hash, added) VALUES ('soc', x'', x'', 0)")
        }
        var statistics = DeliveryStatistics()
        (statistics.delivered, statistics.waiting, statistics.oldestWaiting) = (3, 2, 41.5)
        let factory = ChannelFactory(send: ScriptedNetwork().send, post: ScriptedNetwork().post) { file in
            Array(file == "/url" ? "https://hooks.example/9f8e7d6c5b".utf8 : "signing key".utf8)
        }
        let hook = ChannelSettings(name: "mail", kind: .webhook(.init(urlFile: "/url", keyFile: "/key")))
        let senders = try factory.senders(NotificationSettings(channels: [hook]))
        let api = MonitorAPI(
            watch: watch, operators: operators, version: "0.1.0", deliveries: { [statistics] in [channel: statistics] },
            tester: ChannelTester(senders, now: { clock.now.wall }))
        let made = try DevelopmentCertificate(name: "localhost", now: Date())
        try scratch.write(Array(made.certificatePEM.utf8), to: "cert.pem")
        let served = ServedCertificates(names: [])
        served.install(
            try ServableCertificate(
                certificatePEM: Array(made.certificatePEM.utf8), privateKeyPEM: Array(made.privateKeyPEM.utf8)))
        var server = HTTPSServer(
            address: .init(host: "127.0.0.1", port: 0), served: served,
            limits: ConnectionLimits(connections: 200, connectionsPerNetwork: 200), logger: logger)
        let (ports, found) = AsyncStream<Int>.makeStream()
        server.onRunning = { found.yield($0.localAddress?.port ?? 0) }
        let group = ServiceGroup(
            services: [
                server.application(
                    responder: api.router().buildResponder(), on: MultiThreadedEventLoopGroup.singleton)
            ], logger: logger)
        let token = try await operators.makeToken(for: "soc", purpose: "a test")
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            guard let port = await ports.first(where: { _ in true }) else { throw CancellationError() }
            let client = HTTPClient(
                eventLoopGroupProvider: .singleton, configuration: configuration(scratch.file("cert.pem")))
            let monitor = ServedMonitor(
                api: api, store: store, clock: clock, tokens: tokens, token: token, port: port, scratch: scratch,
                client: client)
            let result: Result<R, any Error>
            do {
                result = .success(try await body(monitor))
            } catch {
                result = .failure(error)
            }
            try await client.shutdown()
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            return try result.get()
        }
    }

    private static func configuration(_ certificate: String) -> HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration()
        configuration.tlsConfiguration = .makeClientConfiguration()
        configuration.tlsConfiguration?.trustRoots = .file(certificate)
        configuration.timeout = .init(connect: .seconds(10), read: .seconds(120))
        return configuration
    }

    struct Answer: Sendable {
        var status: Int
        var headers: [String: String]
        var body: String
    }

    func request(_ method: String, _ path: String, _ headers: [String: String], _ body: String?) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: "https://localhost:\(port)\(path)")
        request.method = .init(rawValue: method)
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let body { request.body = .bytes(ByteBuffer(string: body)) }
        return request
    }

    func send(
        _ method: String, _ path: String, headers: [String: String] = [:], body: String? = nil
    ) async throws -> Answer {
        let response = try await client.execute(request(method, path, headers, body), timeout: .seconds(120))
        let bytes = try await response.body.collect(upTo: 16 << 20)
        return Answer(
            status: Int(response.status.code),
            headers: Dictionary(response.headers.map { ($0.name.lowercased(), $0.value) }) { first, _ in first },
            body: String(decoding: bytes.readableBytesView, as: UTF8.self))
    }

    /// As a tool.
    func page() async throws -> Answer {
        try await send("GET", "/metrics", headers: ["Authorization": "Bearer \(token)"])
    }

    func heartbeat(_ name: String, seq: Int64 = 1, _ change: (inout Heartbeat) -> Void = { _ in }) throws -> String {
        var body = Heartbeat.whole(name, at: clock.now.wall / 1_000)
        (body.seq, body.key) = (seq, nil)
        change(&body)
        return String(decoding: try JSONEncoder().encode(body), as: UTF8.self)
    }

    /// In process: names need not fit a URL.
    func push(_ name: String, seq: Int64 = 1, _ change: (inout Heartbeat) -> Void = { _ in }) async throws {
        _ = try await api.watch.receive(
            token: tokens[name]?.text ?? "", status: "up", msg: "OK", ping: "12.5",
            body: Array(try heartbeat(name, seq: seq, change).utf8))
    }

    /// Advances time with a tick each second.
    func wait(_ seconds: Int) async {
        for _ in 0..<seconds {
            clock.advance(1)
            await api.watch.tick()
        }
    }
}

extension Heartbeat {
    /// A heartbeat with every member, which `HeartbeatMembersTests` checks.
    static func whole(_ node: String, at seconds: Int64) -> Heartbeat {
        var body = Heartbeat.healthy(node, at: seconds)
        (body.bootID, body.seq, body.phase) = ("boot", 1, .running)
        (body.auditSeq, body.auditHead, body.auditEpoch) = (500, "head", 1)
        (body.auditAt, body.auditAtHash) = (400, "earlier")
        (body.certError, body.conns, body.p99MS, body.err5xx1h) = ("too many requests", 7, 3.5, 1)
        (body.clockOffsetMS, body.load1m, body.swapMB, body.psiMemory, body.psiIO) = (-12, 0.25, 0, 0.5, 1.5)
        (body.rssMB, body.beatsDropped, body.key) = (45, 2, "key")
        return body
    }
}
