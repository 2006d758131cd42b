import ArgumentParser
import AsyncHTTPClient
import Crypto
import Encoding
import Files
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import NIOSSL
import NodeCore
import RootKeySources
import ServerRuntime
import ServiceLifecycle
import TestSupport
import VaultFormat
import Wire

@testable import clavitor_node

/// A complete node in this process, on a free port with real TLS, and a client that trusts only it.
struct LiveNode: Sendable {
    let node: Node
    let directory: DataDirectory
    let port: Int
    let client: HTTPClient
    let connections: Connections
    /// Begins a graceful shutdown.
    let stop: @Sendable () async -> Void

    var url: String { "https://localhost:\(port)" }

    static func with<R: Sendable>(
        registration: String = "open", maxConnections: Int = 200, perNetwork: Int? = nil, quotas: [String] = [],
        isUnclean: Bool = false, timeouts: RequestDeadline.Timeouts = .patient,
        http2: Bool = true, now: @escaping @Sendable () -> Int64 = unixTime,
        directory given: DataDirectory? = nil, body: @escaping @Sendable (LiveNode) async throws -> R
    ) async throws -> R {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let directory = given ?? DataDirectory(path: scratch.path, rootKey: nil)
        if !File.exists(directory.database) { _ = try directory.initialize(now: now()) }
        var options = try ServeOptions.parse(["--dev", "--https", "127.0.0.1:0", "--registration", registration])
        options.maxConnections = maxConnections
        options.maxConnectionsPerNetwork = perNetwork ?? maxConnections
        options.quota = quotas
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let node = try Node(directory, NodeSettings(options), logger: logger, isUnclean: isUnclean, now: now)
        var server = try NodeServer(node, directory, logger: logger, timeouts: timeouts)
        let (ports, found) = AsyncStream<Int>.makeStream()
        let connections = server.https.connections
        server.onRunning = { found.yield($0 ?? 0) }
        let group = ServiceGroup(services: [try server.application()], logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            guard let port = await ports.first(where: { _ in true }) else { throw Failure("the node did not start") }
            var configuration = HTTPClient.Configuration()
            configuration.tlsConfiguration = .makeClientConfiguration()
            configuration.tlsConfiguration?.trustRoots = .file(directory.certificates.developmentCertificate)
            configuration.httpVersion = http2 ? .automatic : .http1Only
            configuration.timeout = .init(connect: .seconds(10), read: .seconds(120))
            let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
            let result: Result<R, any Error>
            do {
                result = .success(
                    try await body(
                        LiveNode(
                            node: node, directory: directory, port: port, client: client, connections: connections,
                            stop: { await group.triggerGracefulShutdown() })))
            } catch {
                result = .failure(error)
            }
            try await client.shutdown()
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            return try result.get()
        }
    }

    struct Answer: Sendable {
        let status: Int
        let headers: [String: String]
        let body: [UInt8]

        func json<Body: Decodable>(_: Body.Type = Body.self) throws -> Body {
            try JSONDecoder().decode(Body.self, from: Data(body))
        }

        var text: String { String(decoding: body, as: UTF8.self) }
        var problem: String? { (try? json(Problem.self))?.name }
    }

    func send(
        _ method: String, _ path: String, token: String? = nil, headers: [String: String] = [:], body: [UInt8]? = nil
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: url + path)
        request.method = .init(rawValue: method)
        if let token { request.headers.add(name: "authorization", value: "Bearer \(token)") }
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let body { request.body = .bytes(ByteBuffer(bytes: body)) }
        let response = try await client.execute(request, timeout: .seconds(120))
        let bytes = try await response.body.collect(upTo: 16 << 20)
        return Answer(
            status: Int(response.status.code),
            headers: Dictionary(response.headers.map { ($0.name.lowercased(), $0.value) }) { first, _ in first },
            body: Array(bytes.readableBytesView))
    }

    func send(
        _ method: String, _ path: String, token: String? = nil, headers: [String: String] = [:],
        json: some Encodable
    ) async throws -> Answer {
        try await send(method, path, token: token, headers: headers, body: Array(try JSONEncoder().encode(json)))
    }
}

/// A person with an account and random keys instead of derived ones, which the node cannot distinguish.
struct Person: Sendable {
    let email: String
    let vault: VaultID
    let authKey: [UInt8]
    let wrapped: [UInt8]
    var token = ""

    static func register(_ live: LiveNode, email: String = "\(UUID().uuidString)@example.com") async throws -> Person {
        var person = Person(
            email: email, vault: .random(), authKey: random(32),
            wrapped: Box.seal(random(32), key: .init(size: .bits256), context: Context("l2key")))
        let hello: PreloginBody = try await live.send(
            "POST", "/api/v1/accounts/prelogin", json: PreloginRequestBody(email: email)
        ).json()
        let registration = RegistrationBody(
            email: email, vault: person.vault.text, kdf: hello.kdf, salt: hello.salt,
            authKey: Base64URL.encode(person.authKey),
            l2: L2Body(generation: 1, wrappedKey: Base64URL.encode(person.wrapped)),
            recovery: nil, invite: nil)
        let answer = try await live.send("POST", "/api/v1/accounts", json: registration)
        guard answer.status == 201 else {
            throw Failure("registration: \(String(decoding: answer.body, as: UTF8.self))")
        }
        person.token = try await person.login(live).token
        return person
    }

    func login(_ live: LiveNode) async throws -> SessionBody {
        try await live.send(
            "POST", "/api/v1/sessions", json: LoginBody(email: email, authKey: Base64URL.encode(authKey))
        ).json()
    }

    func create(_ live: LiveNode, _ body: EntryWriteBody) async throws -> EntryBody {
        try await live.send("POST", "/api/v1/entries", token: token, json: body).json()
    }

    /// A login with an L1 user name, an L1 API key and an L2 password.
    func createLogin(_ live: LiveNode, title: String = "Bank", tags: [String] = []) async throws -> EntryBody {
        let (id, password) = (EntryID.random(), FieldID.random())
        let l2Key = L2Key.generate(for: vault, generation: 1)
        let key = L2EntryKey.generate(for: id, in: vault, fields: [password: 1])
        return try await create(
            live,
            EntryWriteBody(
                id: id.text, title: title, type: "login", urls: ["https://bank.example/login"],
                tags: tags,
                fields: [
                    FieldWriteBody(label: "user name", kind: "username", tier: 1, value: "alice"),
                    FieldWriteBody(label: "API key", kind: "secret", tier: 1, value: "key-\(title)"),
                    FieldWriteBody(
                        id: password.text, label: "password", kind: "secret", tier: 2,
                        envelope: Base64URL.encode(key.seal([1], field: password, version: 1))),
                ], l2: L2EntryBody(generation: 1, key: 1, box: Base64URL.encode(l2Key.sealed(key)))))
    }

    func agent(_ live: LiveNode, _ body: AgentWriteBody) async throws -> AgentTokenBody {
        try await live.send("POST", "/api/v1/agents", token: token, json: body).json()
    }
}

func random(_ count: Int) -> [UInt8] { (0..<count).map { _ in .random(in: 0...255) } }

extension EntryBody {
    func field(_ label: String) throws -> FieldBody {
        guard let field = fields.first(where: { $0.label == label }) else { throw Failure("no field \(label)") }
        return field
    }
}

extension LiveNode {
    /// Uses a node in another process, which may end during a response.
    struct Remote: Sendable {
        let url: String
        let certificate: String

        func client(http2: Bool = true) -> HTTPClient {
            var configuration = HTTPClient.Configuration()
            configuration.tlsConfiguration = .makeClientConfiguration()
            configuration.tlsConfiguration?.trustRoots = .file(certificate)
            configuration.httpVersion = http2 ? .automatic : .http1Only
            configuration.timeout = .init(connect: .seconds(5), read: .seconds(60))
            return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        }

        func send(
            _ client: HTTPClient, _ method: String, _ path: String, token: String? = nil, body: [UInt8]? = nil
        ) async throws -> [UInt8] {
            var request = HTTPClientRequest(url: url + path)
            request.method = .init(rawValue: method)
            if let token { request.headers.add(name: "authorization", value: "Bearer \(token)") }
            if let body { request.body = .bytes(ByteBuffer(bytes: body)) }
            let response = try await client.execute(request, timeout: .seconds(60))
            let bytes = try await response.body.collect(upTo: 1 << 20)
            guard (200..<300).contains(response.status.code) else { throw Failure("\(response.status)") }
            return Array(bytes.readableBytesView)
        }

        func register(_ client: HTTPClient) async throws -> String {
            let email = "\(UUID().uuidString)@example.com"
            func post<Body: Encodable>(_ path: String, _ body: Body) async throws -> Data {
                Data(try await send(client, "POST", path, token: nil, body: Array(try JSONEncoder().encode(body))))
            }
            let hello = try JSONDecoder().decode(
                PreloginBody.self,
                from: try await post("/api/v1/accounts/prelogin", PreloginRequestBody(email: email)))
            let authKey = Base64URL.encode(random(32))
            let wrapped = Box.seal(random(32), key: .init(size: .bits256), context: Context("l2key"))
            _ = try await post(
                "/api/v1/accounts",
                RegistrationBody(
                    email: email, vault: VaultID.random().text, kdf: hello.kdf, salt: hello.salt, authKey: authKey,
                    l2: L2Body(generation: 1, wrappedKey: Base64URL.encode(wrapped)), recovery: nil, invite: nil))
            let session = try JSONDecoder().decode(
                SessionBody.self, from: try await post("/api/v1/sessions", LoginBody(email: email, authKey: authKey)))
            return session.token
        }

        func create(_ client: HTTPClient, token: String) async throws -> String {
            let body = Array(#"{"title":"written","fields":[{"label":"l","value":"v"}]}"#.utf8)
            let answer = try await send(client, "POST", "/api/v1/entries", token: token, body: body)
            return try JSONDecoder().decode(EntryBody.self, from: Data(answer)).id
        }

        func entries(_ client: HTTPClient, token: String) async throws -> Set<String> {
            var ids: Set<String> = []
            var path: String? = "/api/v1/entries?limit=200"
            while let current = path {
                let answer = try await send(client, "GET", current, token: token, body: nil)
                let page = try JSONDecoder().decode(EntryListBody.self, from: Data(answer))
                ids.formUnion(page.entries.map(\.id))
                path = page.next.map { "/api/v1/entries?limit=200&cursor=\($0)" }
            }
            return ids
        }
    }
}

extension RequestDeadline.Timeouts {
    /// Long enough for a body of megabytes on a slow machine with concurrent tests.
    static let patient = Self(firstHead: .minutes(5), body: .minutes(5), response: .minutes(5), idle: .minutes(5))
}
