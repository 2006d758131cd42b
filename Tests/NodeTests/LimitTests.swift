import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NodeCore
import RootKeySources
import SQLite
import Serving
import Storage
import Testing
import Vault
import VaultFormat
import Wire

@testable import API
@testable import clavitor_node

/// How much a request may bring and an answer may hold.
@Suite(.timeLimit(.minutes(15))) struct LimitTests {
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
        Route(method: "POST", path: "/api/v1/agents", limit: 256 << 10),
        Route(method: "POST", path: "/api/v1/entries", limit: 4 << 20),
        Route(method: "PUT", path: "/api/v1/account/l2", limit: 4 << 20),
    ]

    @Test func everyRouteTakesSoMuchAndNoMore() async throws {
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

    @Test func noRouteThatIsDescribedTakesMoreThanItsLimit() {
        for operation in Operation.all where operation.request != nil {
            #expect(operation.limit <= 4 << 20)
            if operation.action == nil { #expect(operation.limit <= 64 << 10, "\(operation.path)") }
        }
    }

    @Test func aBodyOfManyValuesIsRefusedBeforeItIsWorkedOn() async throws {
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

    @Test func bodiesShareARoomInWhichNobodyTakesAll() async throws {
        let budget = BodyBudget(total: 1_500, reserve: 0, large: 100, modest: 50)
        func hold(
            _ bytes: Int, _ sender: UInt8, upTo limit: Int = 500, _ work: () async throws -> Void = {}
        ) async throws {
            try await budget.read(Self.body(bytes), upTo: limit, for: [sender]) { body in
                #expect(body.count == bytes)
                try await work()
            }
        }
        func refused(_ bytes: Int, _ sender: UInt8) async throws {
            let error = await #expect(throws: Problem.self) { try await hold(bytes, sender) }
            #expect(error?.status == 503 && error?.retryAfter != nil)
        }
        func fill(from sender: UInt8, _ work: () async throws -> Void) async throws {
            if sender > 8 { return try await work() }
            try await hold(150, sender) { try await fill(from: sender + 1, work) }
        }
        try await refused(151, 1)
        try await hold(150, 1) {
            // A sender's large body keeps none of its small ones out: with one of those it ends what sends the other.
            try await refused(101, 1)
            try await hold(100, 1) {
                try await hold(50, 1) { try await refused(1, 1) }
            }
        }
        try await fill(from: 1) {
            #expect(budget.held == 1_200)
            // A sixth is left to small bodies, whatever their route would take.
            try await refused(101, 9)
            try await hold(100, 9) {
                try await hold(100, 10) {
                    try await hold(100, 11) { try await refused(1, 12) }
                }
            }
        }
        #expect(budget.held == 0)
        await #expect(throws: CancellationError.self) { try await hold(100, 1) { throw CancellationError() } }
        await #expect(throws: NIOTooManyBytesError.self) { try await hold(100, 1, upTo: 99) }
        #expect(budget.held == 0)
    }

    private static func body(_ bytes: Int) -> AsyncStream<ByteBuffer> {
        AsyncStream { stream in
            stream.yield(ByteBuffer(repeating: 0x20, count: bytes))
            stream.finish()
        }
    }

    /// Three senders send all that they may but the end; whose body comes at once is served, and the first of them pays.
    @Test func bodiesThatComeSlowlyMakeRoom() async throws {
        let budget = BodyBudget(total: 1_500, reserve: 0)
        var streams: [AsyncStream<ByteBuffer>.Continuation] = []
        var slow: [Task<Int, any Error>] = []
        for sender in UInt8(1)...5 {
            let (body, stream) = AsyncStream<ByteBuffer>.makeStream()
            streams.append(stream)
            slow.append(Task { try await budget.read(body, upTo: 500, for: [sender]) { $0.count } })
            stream.yield(ByteBuffer(repeating: 0x20, count: 300))
            while budget.held < Int(sender) * 300 { try await Task.sleep(for: .milliseconds(1)) }
        }
        #expect(try await budget.read(Self.body(200), upTo: 500, for: [6]) { $0.count } == 200)
        let evicted = await #expect(throws: Problem.self) { _ = try await slow[0].value }
        #expect(evicted?.status == 503)
        for stream in streams { stream.finish() }
        for index in 1...4 { #expect(try await slow[index].value == 300) }
        #expect(budget.held == 0)
    }

    /// An agent's bodies that do not end, and its owner, of one vault.
    @Test func aSendersOwnSlowBodiesMakeRoomForItsNext() async throws {
        let budget = BodyBudget(total: 1_500, reserve: 0)
        let (body, stream) = AsyncStream<ByteBuffer>.makeStream()
        let slow = Task { try await budget.read(body, upTo: 500, for: [1]) { $0.count } }
        stream.yield(ByteBuffer(repeating: 0x20, count: 300))
        while budget.held < 300 { try await Task.sleep(for: .milliseconds(1)) }
        #expect(try await budget.read(Self.body(20), upTo: 500, for: [1]) { $0.count } == 20)
        let evicted = await #expect(throws: Problem.self) { _ = try await slow.value }
        #expect(evicted?.status == 503)
        #expect(budget.held == 0)
    }

    /// Bodies of a few accounts whose requests wait fill the room; everybody else's only body is taken if it is modest.
    @Test func whoSendsOneModestBodyIsTaken() async throws {
        let budget = BodyBudget(total: 500, reserve: 300, large: 1_000, modest: 100)
        func hold(_ sender: UInt8, _ bytes: Int = 100, _ work: () async throws -> Void = {}) async throws {
            try await budget.read(Self.body(bytes), upTo: 500, for: [sender]) { _ in try await work() }
        }
        func fill(from sender: UInt8, to last: UInt8, _ work: () async throws -> Void) async throws {
            if sender > last { return try await work() }
            try await hold(sender) { try await fill(from: sender + 1, to: last, work) }
        }
        try await fill(from: 1, to: 5) {
            #expect(budget.held == 500)
            _ = await #expect(throws: Problem.self) { try await hold(1, 1) }
            try await fill(from: 6, to: 8) {
                #expect(budget.held == 800)
                _ = await #expect(throws: Problem.self) { try await hold(9, 1) }
            }
        }
        #expect(budget.held == 0)
    }

    /// An agent's body that is there and being worked on, as large as bodies may be.
    @Test func anAgentsBodiesKeepNoOwnerOut() async throws {
        let budget = BodyBudget()
        let vault = VaultID.random()
        func principal(isOwner: Bool) -> Principal {
            Principal(
                vault: vault, holder: .generate(),
                role: isOwner ? .owner(session: .random(), since: 0) : .agent(AgentPolicy()), from: nil)
        }
        let owner = principal(isOwner: true)
        let agents = [principal(isOwner: false)]
        let gates = agents.map { _ in AsyncStream<Void>.makeStream() }
        let (begun, begin) = AsyncStream<Void>.makeStream()
        let working = zip(agents, gates).map { agent, gate in
            Task {
                try await budget.read(Self.body(4 << 20), upTo: 4 << 20, for: agent.bodySender) { _ in
                    begin.yield()
                    for await _ in gate.stream {}
                }
            }
        }
        var waiting = begun.makeAsyncIterator()
        for _ in agents { _ = await waiting.next() }
        #expect(budget.held == 4 << 20)
        let agent = await #expect(throws: Problem.self) {
            try await budget.read(Self.body(65 << 10), upTo: 4 << 20, for: agents[0].bodySender) { _ in }
        }
        #expect(agent?.status == 503, "agents of a vault share")
        let patch = try await budget.read(Self.body(64 << 10), upTo: 256 << 10, for: owner.bodySender) { $0.count }
        #expect(patch == 64 << 10)
        for gate in gates { gate.continuation.finish() }
        for task in working { try await task.value }
    }

    @Test(arguments: [false, true]) func noPartOfAHeadHasALongRunOfMarks(http2: Bool) async throws {
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

    /// What selects in a list is part of what a cursor is bound to, whatever its length or form.
    @Test(arguments: ["\u{7f}", "\u{e000}", "a"])
    func aCursorWithALongQueryIsRefusedInWords(_ character: String) async throws {
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

    /// A tenant announces all that he may, and does not send it; another one writes.
    @Test func bodiesThatDoNotComeKeepNobodyElseFromWriting() async throws {
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
            while live.connections.count < 12 { try await Task.sleep(for: .milliseconds(5)) }
            let entry = try await honest.createLogin(live)
            #expect(entry.version == 1)
        }
    }

    // MARK: Pages

    private static func note(_ bytes: Int) -> EntryWriteBody {
        EntryWriteBody(title: "large", type: "note", notes: String(repeating: "n", count: bytes))
    }

    @Test func aPageIsBoundedInBytesAndTheNextGoesOn() async throws {
        try await LiveNode.with { live in
            let person = try await Person.register(live)
            for _ in 0..<40 { _ = try await person.create(live, Self.note(65_000)) }
            var (seen, pages): (Set<String>, Int) = ([], 0)
            var path: String? = "/api/v1/entries?limit=200"
            while let current = path {
                let answer = try await live.send("GET", current, token: person.token)
                #expect(answer.body.count < 1_400_000)
                let page: EntryListBody = try answer.json()
                seen.formUnion(page.entries.map(\.id))
                pages += 1
                path = page.next.map { "/api/v1/entries?limit=200&cursor=\($0)" }
            }
            #expect(seen.count == 40)
            #expect(pages >= 2)
        }
    }

    /// To learn a label an agent opens a value, so large values make short pages.
    @Test func anAgentsPageIsBoundedByTheValuesThatItOpens() async throws {
        try await LiveNode.with { live in
            let person = try await Person.register(live)
            let value = String(repeating: "v", count: 65_000)
            for _ in 0..<8 {
                let fields = (0..<12).map { FieldWriteBody(label: "\($0)", kind: "text", tier: 1, value: value) }
                _ = try await person.create(live, EntryWriteBody(title: "x", type: "note", tags: ["t"], fields: fields))
            }
            let agent = try await person.agent(
                live, AgentWriteBody(name: "a", grants: [GrantBody(tag: "t", labels: .all)], verbs: ["read"]))
            var (seen, pages): (Int, Int) = (0, 0)
            var path: String? = "/api/v1/entries?limit=200"
            while let current = path {
                let page: EntryListBody = try await live.send("GET", current, token: agent.token).json()
                seen += page.entries.count
                pages += 1
                #expect(page.entries.allSatisfy { $0.fields.count == 12 })
                path = page.next.map { "/api/v1/entries?limit=200&cursor=\($0)" }
            }
            #expect(seen == 8)
            #expect(pages > 2)
        }
    }

    /// What is damaged in a value is not noticed by a list: it was not read.
    @Test func listsReadNoValue() async throws {
        try await LiveNode.with { live in
            let person = try await Person.register(live)
            let entry = try await person.createLogin(live)
            _ = try await live.node.store.database.maintain { db in
                try db.run("UPDATE value SET box = x'00' WHERE tier > 0")
            }
            for path in ["/api/v1/entries", "/api/v1/entries/\(entry.id)", "/api/v1/entries/\(entry.id)/versions"] {
                #expect(try await live.send("GET", path, token: person.token).status == 200)
            }
            let found = try await live.send(
                "POST", "/api/v1/entries/search", token: person.token, json: SearchBody(text: "bank"))
            #expect(found.status == 200)
        }
    }

    /// A client that goes away while it sends is no error of the node's.
    @Test(arguments: ["Content-Length: 100\r\n\r\n{\"a\":", "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"a\""])
    func aBodyThatBreaksOffIsNoErrorOfTheNodes(_ rest: String) async throws {
        @Sendable func becomes(_ isSo: @Sendable () -> Bool) async throws {
            for _ in 0..<4_000 where !isSo() { try await Task.sleep(for: .milliseconds(5)) }
            try #require(isSo())
        }
        try await LiveNode.with(http2: false) { live in
            for _ in 0..<10 {
                let connection = try LoadTests.Connection(
                    live, saying: "POST /api/v1/accounts/prelogin HTTP/1.1\r\nHost: x\r\n\(rest)")
                try await becomes { live.connections.answering == 1 }
                connection.close()
                try await becomes { live.connections.answering == 0 }
            }
            // Each was answered, to nobody.
            let figures = live.node.api.counters.lastHour
            #expect(figures.requests == 10 && figures.failures == 0, "\(figures)")
        }
    }

    @Test func l2ValuesComeInPages() async throws {
        try await LiveNode.with { live in
            let person = try await Person.register(live)
            for _ in 0..<5 { _ = try await person.createLogin(live) }
            var (seen, path): (Set<String>, String?) = ([], "/api/v1/account/l2?limit=2")
            while let current = path {
                let page: L2ValuesBody = try await live.send("GET", current, token: person.token).json()
                #expect(page.envelopes.count <= 2)
                seen.formUnion(page.envelopes.map(\.entry))
                path = page.next.map { "/api/v1/account/l2?limit=2&cursor=\($0)" }
            }
            #expect(seen.count == 5)
            // Each page is on record, with how many values it gave out.
            let audit: AuditBody = try await live.send("GET", "/api/v1/audit", token: person.token).json()
            let exports = audit.lines.filter { $0.action == "export" }
            #expect(exports.compactMap(\.count) == [1, 2, 2] && exports.allSatisfy { $0.reason == "l2" })
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

    @Test(arguments: oversized) func isRefusedAndTheNodeLives(_ example: Oversized) async throws {
        try await LiveNode.with { live in
            let person = try await Person.register(live)
            let answer = try await live.send(
                "POST", example.path, token: person.token, headers: ["idempotency-key": "k"],
                body: Array(example.body.utf8))
            #expect(answer.status == 422, "\(String(decoding: answer.body, as: UTF8.self))")
            #expect(try await live.send("GET", "/livez").status == 200)
        }
    }

    /// Thousands of places in one grant take several lines of the log, which still replays.
    @Test func aGrantOfThousandsOfFieldsIsOnRecordInParts() async throws {
        try await LiveNode.with(quotas: ["fields=1000000", "bytes=1000000000"]) { live in
            let person = try await Person.register(live)
            let fields = (0..<128).map { FieldWriteBody(label: "\($0)", kind: "text", tier: 1, value: "v") }
            let grants = AgentWriteBody(name: "a", grants: [GrantBody(tag: "t", labels: .all)], verbs: ["read"])
            let agent = try await person.agent(live, grants)
            for _ in 0..<70 {
                _ = try await person.create(live, EntryWriteBody(title: "x", type: "note", tags: ["t"], fields: fields))
            }
            // One that is new gets no such number at once. One that got them by its tags can be rotated.
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
