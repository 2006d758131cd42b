import API
import AsyncHTTPClient
import Dispatch
import Encoding
import Foundation
import NIOCore
import NIOHTTP1
import NodeCore
import RootKeySources
import ServerRuntime
import Synchronization
import TestSupport
import Testing
import Wire

@testable import clavitor_node

/// Slow clients, many clients, and clients with a request in progress at shutdown.
@Suite(.timeLimit(.minutes(15))) struct LoadTests {
    private static let short = RequestDeadline.Timeouts(
        firstHead: .seconds(1), body: .seconds(1), response: .seconds(1), idle: .seconds(1))

    /// A TLS connection by OpenSSL that sends only the given bytes.
    final class Connection {
        private let process: RunningTool

        init(_ live: LiveNode, saying text: String, from address: String? = nil) throws {
            process = try RunningTool(
                "/usr/bin/openssl",
                [
                    "s_client", "-quiet", "-connect", "127.0.0.1:\(live.port)", "-CAfile",
                    live.directory.certificates.developmentCertificate, "-verify_return_error",
                ] + (address.map { ["-bind", "\($0):0"] } ?? []), input: nil)
            try process.write(text)
        }

        /// Returns when the node closes the connection.
        func untilClosed() async -> String {
            await process.waitUntilExit()
            return process.output
        }

        func close() { process.kill() }
    }

    @Test(arguments: [
        "", "GET /livez HT", "GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        "POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{\"em",
        "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n",
    ])
    func aClientThatStopsHalfwayIsShownOut(_ text: String) async throws {
        try await LiveNode.with(timeouts: Self.short) { live in
            let connection = try Connection(live, saying: text)
            let answer = await connection.untilClosed()
            #expect(answer.contains("200 OK") == text.hasSuffix("\r\n\r\n") && !text.contains("POST") || answer.isEmpty)
        }
    }

    @Test func aClientWithoutHandshakeIsDisconnected() async throws {
        try await LiveNode.with(timeouts: Self.short) { live in
            let client = try await Tool(
                "/bin/bash", ["-c", "exec 3<>/dev/tcp/127.0.0.1/\(live.port); cat <&3 >/dev/null"])
            #expect(client.status == 0)
        }
    }

    /// TLS 1.2 requires authenticated encryption and forward secrecy.
    @Test(arguments: [
        ("ECDHE-ECDSA-AES128-GCM-SHA256", true), ("ECDHE-ECDSA-CHACHA20-POLY1305", true),
        ("ECDHE-ECDSA-AES256-GCM-SHA384", true), ("ECDHE-ECDSA-AES128-SHA", false), ("ECDHE-ECDSA-AES256-SHA", false),
        ("ECDHE-ECDSA-AES128-SHA256", false), ("AES128-GCM-SHA256", false), ("AES128-SHA", false),
    ])
    func onlyAuthenticatedSuitesAreServed(_ suite: String, _ isServed: Bool) async throws {
        try await LiveNode.with { live in
            let said = try await Tool(
                "/usr/bin/openssl",
                ["s_client", "-tls1_2", "-cipher", suite, "-connect", "127.0.0.1:\(live.port)"]
            ).text
            #expect(said.contains("Cipher is \(suite)") == isServed, "\(said.prefix(2_000))")
            if !isServed { #expect(said.contains("Cipher is (NONE)")) }
        }
    }

    @Test func beyondTheLimitTheLongestIdleConnectionIsClosed() async throws {
        try await LiveNode.with(maxConnections: 2, perNetwork: 10) { live in
            let idle = try (0..<2).map { _ in try Connection(live, saying: "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n") }
            defer { for connection in idle { connection.close() } }
            try await eventually("two connections") { live.connections.count >= 2 }
            #expect(try await live.send("GET", "/livez").status == 200)
            #expect(live.connections.count == 2)
        }
    }

    /// One address uses its limit; another one is still admitted. The loopback network is a /8, so both are this machine.
    @Test func oneNetworkCannotUseAllConnections() async throws {
        try await LiveNode.with(maxConnections: 100, perNetwork: 3) { live in
            let many = try (0..<8).map { _ in try Connection(live, saying: "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n") }
            defer { for connection in many { connection.close() } }
            try await eventually("three connections") { live.connections.count >= 3 }
            let other = try Connection(
                live, saying: "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", from: "127.0.9.1")
            #expect(await other.untilClosed().contains("200 OK"))
            #expect(live.connections.count <= 4)
        }
    }

    @Test func aRequestInFlightIsFinishedBeforeTheNodeStops() async throws {
        let looks = Mutex(0)
        let clock: @Sendable () -> Int64 = {
            looks.withLock { $0 += 1 }
            return unixTime()
        }
        try await LiveNode.with(http2: false, now: clock) { live in
            let person = try await Person.register(live)
            let (parts, send) = AsyncStream<ByteBuffer>.makeStream()
            let text = #"{"title":"in flight","type":"note"}"#
            var request = HTTPClientRequest(url: live.url + "/api/v1/entries")
            request.method = .POST
            request.headers.add(name: "authorization", value: "Bearer \(person.token)")
            request.body = .stream(parts, length: .known(Int64(text.utf8.count)))
            let sent = request
            let before = looks.withLock { $0 }
            async let answer = live.client.execute(sent, timeout: .seconds(120))
            send.yield(ByteBuffer(string: String(text.prefix(10))))
            // The node reads the clock to check the session, after it has received the head.
            try await eventually("the session is checked") { looks.withLock { $0 } > before }
            await live.stop()
            send.yield(ByteBuffer(string: String(text.dropFirst(10))))
            send.finish()
            #expect(try await answer.status == .created)
        }
    }
}

@Suite(.timeLimit(.minutes(15))) struct GuessingTests {
    /// An attacker behind the same address tries many accounts and the honest user's own.
    @Test func tenThousandWrongSignInsFromOneAddressLockNobodyOut() async throws {
        try await LiveNode.with { live in
            let person = try await Person.register(live)
            let device = try await person.login(live).device
            let other = try await Person.register(live)
            let wrong = Base64URL.encode([UInt8](repeating: 0, count: 32))
            try await withThrowingTaskGroup(of: [Int: Int].self) { group in
                for worker in 0..<10 {
                    group.addTask {
                        var statuses: [Int: Int] = [:]
                        for guess in 0..<1_000 {
                            let email = guess.isMultiple(of: 2) ? person.email : "nobody-\(worker)-\(guess)@example.com"
                            let answer = try await live.send(
                                "POST", "/api/v1/sessions", json: LoginBody(email: email, authKey: wrong))
                            statuses[answer.status, default: 0] += 1
                        }
                        return statuses
                    }
                }
                let statuses = try await group.reduce(into: [:]) { $0.merge($1, uniquingKeysWith: +) }
                #expect(statuses[401, default: 0] + statuses[429, default: 0] == 10_000)
                // Guesses that were looked at, at one account from one network, and in all.
                #expect(statuses[401, default: 0] < 1_000)
            }
            let known = try await live.send(
                "POST", "/api/v1/sessions",
                json: LoginBody(email: person.email, authKey: Base64URL.encode(person.authKey), device: device))
            #expect(known.status == 201)
            let neighbour = try await live.send(
                "POST", "/api/v1/sessions",
                json: LoginBody(email: other.email, authKey: Base64URL.encode(other.authKey)))
            #expect(neighbour.status == 201)
            let unauthenticated = try await live.send(
                "POST", "/api/v1/sessions",
                json: LoginBody(email: person.email, authKey: Base64URL.encode(person.authKey)))
            #expect(unauthenticated.status == 429)
            #expect(unauthenticated.headers["retry-after"] != nil)
        }
    }
}
