import API
import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NodeCore
import RootKeySources
import SQLite
import ServerRuntime
import Storage
import TestSupport
import Testing
import Vault
import VaultFormat
import Wire

@testable import clavitor_node

/// Limits of request bodies, headers and values.
@Suite(.timeLimit(.minutes(15))) struct RequestLimitTests {
    struct Route: CustomTestStringConvertible, Sendable {
        let method: String
        let path: String
        let limit: Int
        var testDescription: String { "\(method) \(path)" }
    }

    static let routes = [
        Route(method: "POST", path: "/api/v1/accounts/prelogin", limit: 4 << 10),
        Route(method: "POST", path: "/api/v1/sessions", limit: 4 << 10),
        Route(method: "POST", path: "/api/v1/accounts/recover/begin", limit: 4 << 10),
        Route(method: "POST", path: "/api/v1/accounts/recover", limit: 16 << 10),
        Route(method: "POST", path: "/api/v1/accounts", limit: 64 << 10),
        Route(method: "POST", path: "/api/v1/entries/search", limit: 16 << 10),
        Route(method: "PUT", path: "/api/v1/account/password", limit: 16 << 10),
        Route(method: "PUT", path: "/api/v1/account/recovery", limit: 16 << 10),
        Route(method: "DELETE", path: "/api/v1/account/recovery", limit: 16 << 10),
        Route(method: "POST", path: "/api/v1/account/passkeys", limit: 16 << 10),
        Route(method: "POST", path: "/api/v1/passkeys/challenge", limit: 4 << 10),
        Route(method: "POST", path: "/api/v1/agents", limit: 256 << 10),
        Route(method: "POST", path: "/api/v1/entries", limit: 4 << 20),
        Route(method: "PUT", path: "/api/v1/account/l2", limit: 16 << 10),
        Route(method: "PUT", path: "/api/v1/entries/\(EntryID.random().text)/l2", limit: 4 << 20),
    ]

    @Test func everyRouteEnforcesItsBodyLimit() async throws {
        try await LiveNode.with { live in
            let person = try await Person.register(live)
            for route in Self.routes {
                for isChunked in [false, true] {
                    for (count, isTooLarge) in [(route.limit, false), (route.limit + 1, true)] {
                        let text = "{" + String(repeating: " ", count: count - 2) + "}"
                        var request = HTTPClientRequest(url: live.url + route.path)
                        request.method = .init(rawValue: route.method)
                        request.headers.add(name: "authorization", value: "Bearer \(person.token)")
                        let bytes = ByteBuffer(string: text)
                        request.body = isChunked ? .stream([bytes].async, length: .unknown) : .bytes(bytes)
                        let answer = try await live.client.execute(request, timeout: .seconds(60))
                        #expect(
                            (answer.status.code == 413) == isTooLarge,
                            "\(route.testDescription) with \(count) bytes, chunked: \(isChunked): \(answer.status)")
                    }
                }
            }
        }
    }

    @Test func noOperationExceedsTheMaximumLimit() {
        for operation in Operation.all where operation.request != nil {
            #expect(operation.limit <= 4 << 20)
            if operation.action == nil { #expect(operation.limit <= 64 << 10, "\(operation.path)") }
        }
    }

    @Test func aBodyWithTooManyValuesIsRejected() async throws {
        try await LiveNode.with { live in
            let person = try await Person.register(live)
            let members = (0..<300_000).map { "\"\($0)\":0" }.joined(separator: ",")
            let lists = "[" + [String](repeating: "0", count: 400_000).joined(separator: ",") + "]"
            for text in [
                "{\(members)}", "{\"title\":\"a\",\"tags\":\(lists)}",
                "{\"title\":\"a\",\"fields\":[\(String(repeating: "{},", count: 100_000)){}]}",
            ] {
                let answer = try await live.send("POST", "/api/v1/entries", token: person.token, body: Array(text.utf8))
                #expect(answer.status == 400)
            }
        }
    }

    @Test(arguments: [false, true]) func longRunsOfMarksInAHeadAreRejected(http2: Bool) async throws {
        try await LiveNode.with(http2: http2) { live in
            let person = try await Person.register(live)
            for (count, isRefused) in [(30, false), (31, true), (1_500, true)] {
                let marks = String(repeating: "%CC%81", count: count)
                for path in ["/api/v1/e\(marks)", "/api/v1/entries/\(marks)", "/api/v1/entries?tag=\(marks)"] {
                    let answer = try await live.send("GET", path, token: person.token)
                    #expect(answer.text.contains("combining marks") == isRefused, "\(count)")
                    if isRefused { #expect(answer.status == 400) }
                }
                let header = String(repeating: "\u{301}", count: count)
                for name in ["x-anything", "host", "authorization", "idempotency-key", "if-match"] {
                    let answer = try await live.send("GET", "/api/v1/entries", headers: [name: header])
                    #expect(answer.text.contains("combining marks") == isRefused, "\(name) \(count)")
                }
            }
        }
    }

    /// A cursor is bound to the filters of its list, whatever their length or form.
    @Test(arguments: ["\u{7f}", "\u{e000}", "a"])
    func anInvalidCursorWithALongFilterIsRejected(_ character: String) async throws {
        try await LiveNode.with(http2: false) { live in
            let person = try await Person.register(live)
            for member in ["text", "tag", "host"] {
                let value = String(repeating: character, count: 15_000 / character.utf8.count)
                let text = "{\"cursor\":\"AA\",\"\(member)\":\"\(value)\"}"
                let answer = try await live.send(
                    "POST", "/api/v1/entries/search", token: person.token, body: Array(text.utf8))
                #expect(answer.status == 400)
            }
        }
    }

    /// One tenant announces large bodies without sending them; another one writes.
    @Test func stalledBodiesDoNotBlockOthers() async throws {
        try await LiveNode.with(http2: false) { live in
            let greedy = try await Person.register(live)
            let honest = try await Person.register(live)
            let stalled = try (0..<12).map { _ in
                try LoadTests.Connection(
                    live,
                    saying: "POST /api/v1/entries HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(greedy.token)\r\n"
                        + "Content-Length: 4000000\r\n\r\n{")
            }
            defer { for connection in stalled { connection.close() } }
            try await eventually("twelve connections") { live.connections.count >= 12 }
            let entry = try await honest.createLogin(live)
            #expect(entry.version == 1)
        }
    }

    // MARK: Pages

    /// A client that disconnects while sending is not counted as a server error.
    @Test(arguments: ["Content-Length: 100\r\n\r\n{\"a\":", "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"a\""])
    func anAbortedBodyIsNotAServerError(_ rest: String) async throws {
        try await LiveNode.with(http2: false) { live in
            for _ in 0..<10 {
                let connection = try LoadTests.Connection(
                    live, saying: "POST /api/v1/accounts/prelogin HTTP/1.1\r\nHost: x\r\n\(rest)")
                try await eventually("a request in flight") { live.connections.inFlight == 1 }
                connection.close()
                try await eventually("no request in flight") { live.connections.inFlight == 0 }
            }
            // Each request was counted, without a failure.
            let figures = live.node.api.counters.lastHour
            #expect(figures.requests == 10 && figures.failures == 0, "\(figures)")
        }
    }

    // MARK: What a client may send makes no box too large

    struct Oversized: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let path: String
        let body: String
    }

    private static func list(_ item: String, _ count: Int) -> String {
        "[" + [String](repeating: "\"\(item)\"", count: count).joined(separator: ",") + "]"
    }

    private static let control = "\\u0001"

    static let oversized = [
        Oversized(
            testDescription: "control characters in URLs and notes", path: "/api/v1/entries",
            body: "{\"title\":\"a\",\"urls\":\(list(String(repeating: control, count: 2_000), 60)),"
                + "\"notes\":\"\(String(repeating: control, count: 65_000))\"}"),
        Oversized(
            testDescription: "a tag of a grant", path: "/api/v1/agents",
            body:
                "{\"name\":\"a\",\"verbs\":[\"read\"],\"grants\":[{\"tag\":\"\(String(repeating: "x", count: 200_000))\",\"labels\":\"*\"}]}"
        ),
        Oversized(
            testDescription: "labels of a grant", path: "/api/v1/agents",
            body:
                "{\"name\":\"a\",\"verbs\":[\"read\"],\"grants\":[{\"tag\":\"x\",\"labels\":\(list(String(repeating: "y", count: 2_000), 120))}]}"
        ),
        Oversized(
            testDescription: "many networks", path: "/api/v1/agents",
            body: "{\"name\":\"a\",\"verbs\":[\"deposit\"],\"cidr\":\(list("10.0.0.0/8", 1_500))}"),
    ]

    @Test(arguments: oversized) func isRejectedWithoutHarm(_ example: Oversized) async throws {
        try await LiveNode.with { live in
            let person = try await Person.register(live)
            let answer = try await live.send(
                "POST", example.path, token: person.token, headers: ["idempotency-key": "k"],
                body: Array(example.body.utf8))
            #expect(answer.status == 422, "\(String(decoding: answer.body, as: UTF8.self))")
            #expect(try await live.send("GET", "/livez").status == 200)
        }
    }

    /// A grant of thousands of fields has several audit lines, which still replay.
    @Test func aGrantOfThousandsOfFieldsIsAuditedInParts() async throws {
        try await LiveNode.with(quotas: ["fields=1000000", "bytes=1000000000"]) { live in
            let person = try await Person.register(live)
            let fields = (0..<128).map { FieldWriteBody(label: "\($0)", kind: "text", tier: 1, value: "v") }
            let grants = AgentWriteBody(name: "a", grants: [GrantBody(tag: "t", labels: .all)], verbs: ["read"])
            let agent = try await person.agent(live, grants)
            for _ in 0..<70 {
                _ = try await person.create(live, EntryWriteBody(title: "x", type: "note", tags: ["t"], fields: fields))
            }
            // A new agent cannot get that many at once; an agent that got them by tag can be rotated.
            let another = try await live.send("POST", "/api/v1/agents", token: person.token, json: grants)
            #expect(another.status == 422)
            let rotated = try await live.send("POST", "/api/v1/agents/\(agent.id)/rotate", token: person.token)
            #expect(rotated.status == 200)
            let findings = try await live.node.verification.run(live.node.store.database).findings
            #expect(findings.isEmpty, "\(findings.prefix(3))")
        }
    }
}

extension Sequence where Self: Sendable, Element: Sendable {
    /// The elements as a stream, for a request body of unknown length.
    var async: AsyncStream<Element> {
        AsyncStream { continuation in
            for element in self { continuation.yield(element) }
            continuation.finish()
        }
    }
}
