import Auth
import Foundation
import NodeCore
import RootKeySources
import Testing
import VaultFormat
import Wire

@testable import clavitor_node

/// Answers that say what is so: unknown names, wrong methods, half requests, and nothing about other tenants.
@Suite(.timeLimit(.minutes(15))) struct HonestAnswerTests {
    struct Unknown: CustomTestStringConvertible, Sendable {
        let method: String
        let path: String
        let body: String
        let member: String
        var testDescription: String { "\(member) in \(method) \(path)" }

        init(_ method: String, _ path: String, _ body: String, _ member: String) {
            self.method = method
            self.path = path
            self.body = body
            self.member = member
        }
    }

    static let unknown = [
        Unknown(
            "POST", "/api/v1/agents", #"{"name":"a","grants":[],"verbs":["deposit"],"cidrs":["10.0.0.0/8"]}"#, "cidrs"),
        Unknown("POST", "/api/v1/agents", #"{"name":"a","grants":[],"verbs":["deposit"],"maxuses":1}"#, "maxuses"),
        Unknown("POST", "/api/v1/agents", #"{"name":"a","grants":[],"verbs":["deposit"],"expiresat":1}"#, "expiresat"),
        Unknown(
            "POST", "/api/v1/agents", #"{"name":"a","verbs":["read"],"grants":[{"tag":"x","label":["y"]}]}"#,
            "grants.label"),
        Unknown(
            "POST", "/api/v1/agents",
            #"{"name":"a","verbs":["read"],"grants":[{"tag":"x","labels":"*","fields":"*","extra":1}]}"#, "grants.extra"
        ),
        Unknown("POST", "/api/v1/agents", #"{"name":"a","ver\u0062s":["deposit"],"max\u0075ses":1}"#, "maxuses"),
        Unknown("POST", "/api/v1/entries", #"{"title":"a","tag":["x"]}"#, "tag"),
        Unknown("POST", "/api/v1/entries", #"{"title":"a","fields":[{"label":"l","val":"v"}]}"#, "fields.val"),
        Unknown("PATCH", "/api/v1/entries/AAAAAAAAAAAAAAAAAAAAAg", #"{"Title":"a"}"#, "Title"),
        Unknown("PUT", "/api/v1/entries/AAAAAAAAAAAAAAAAAAAAAg", #"{"titel":"a"}"#, "titel"),
        Unknown("POST", "/api/v1/entries/AAAAAAAAAAAAAAAAAAAAAg/restore", #"{"versoin":1}"#, "versoin"),
        Unknown("POST", "/api/v1/entries/search", #"{"txt":"a"}"#, "txt"),
        Unknown("PUT", "/api/v1/account/password", #"{"keepagents":[]}"#, "keepagents"),
        Unknown(
            "PUT", "/api/v1/account/password", #"{"proof":{"kind":"password","secret":"","totp":"1"}}"#, "proof.totp"),
        Unknown("POST", "/api/v1/account/sign-out-everywhere", #"{"kit":1}"#, "kit"),
        Unknown("PUT", "/api/v1/account/l2", #"{"envelopes":[{"entry":"a","fields":"b"}]}"#, "envelopes.fields"),
        Unknown("POST", "/api/v1/account/totp", #"{"totp":"1"}"#, "totp"),
        Unknown("POST", "/api/v1/agents/AAAAAAAAAAAAAAAAAAAAAg/rotate", #"{"maxUses":1}"#, "maxUses"),
        Unknown("DELETE", "/api/v1/agents/AAAAAAAAAAAAAAAAAAAAAg", #"{"at":1}"#, "at"),
        Unknown("DELETE", "/api/v1/account", #"{"sure":false}"#, "sure"),
        Unknown("DELETE", "/api/v1/account/totp", #"{"code":"1"}"#, "code"),
        Unknown("POST", "/api/v1/accounts", #"{"e-mail":"a"}"#, "e-mail"),
        Unknown("POST", "/api/v1/accounts", #"{"kdf":{"type":"argon2id","memory":1}}"#, "kdf.memory"),
        Unknown("POST", "/api/v1/sessions", #"{"email":"a","code":"1"}"#, "code"),
        Unknown("POST", "/api/v1/accounts/prelogin", #"{"email":"a","x":1}"#, "x"),
    ]

    @Test func aMemberThatIsNotKnownIsRefusedByName() async throws {
        try await LiveNode.with { live in
            let person = try await Person.register(live)
            for example in Self.unknown {
                let answer = try await live.send(
                    example.method, example.path, token: person.token, headers: ["if-match": "\"1\""],
                    body: Array(example.body.utf8))
                #expect(answer.status == 400, "\(example.testDescription)")
                let problem: Problem = try answer.json()
                #expect(problem.member == example.member, "\(example.testDescription): \(problem)")
            }
            let agents: AgentListBody = try await live.send("GET", "/api/v1/agents", token: person.token).json()
            #expect(agents.agents.isEmpty)
        }
    }

    @Test(arguments: [
        "/api/v1/entries?limt=5", "/api/v1/entries?limit=5&limit=6", "/api/v1/audit?curser=x", "/livez?x=1",
        "/api/v1/agents?limit=2&page=3",
    ])
    func aQueryThatIsNotKnownIsRefused(_ path: String) async throws {
        try await LiveNode.with { live in
            let person = try await Person.register(live)
            let answer = try await live.send("GET", path, token: person.token)
            #expect(answer.status == 400)
            #expect(answer.problem == "malformed")
        }
    }

    // MARK: HTTP

    struct Method: CustomTestStringConvertible, Sendable {
        let method: String
        let path: String
        let status: Int
        var allow: String?
        var testDescription: String { "\(method) \(path)" }
    }

    @Test(arguments: [
        Method(method: "PUT", path: "/livez", status: 405, allow: "GET, HEAD"),
        Method(method: "POST", path: "/openapi.json", status: 405, allow: "GET, HEAD"),
        Method(method: "DELETE", path: "/api/v1/entries", status: 405, allow: "GET, HEAD, POST"),
        Method(method: "GET", path: "/api/v1/entries/search", status: 405, allow: "POST"),
        Method(method: "POST", path: "/api/v1/entries/AAAA", status: 405, allow: "DELETE, GET, HEAD, PATCH, PUT"),
        Method(method: "OPTIONS", path: "/api/v1/sessions", status: 405, allow: "GET, HEAD, POST"),
        Method(method: "PATCH", path: "/api/v1/account/totp", status: 405, allow: "DELETE, POST"),
        Method(method: "GET", path: "/nothing", status: 404),
        Method(method: "GET", path: "/api/v1/entries/a/b/c/d/e", status: 404),
        Method(method: "HEAD", path: "/livez", status: 200),
        Method(method: "HEAD", path: "/openapi.json", status: 200),
        Method(method: "HEAD", path: "/api/v1/entries", status: 401),
        Method(method: "HEAD", path: "/nothing", status: 404),
    ])
    func methods(_ example: Method) async throws {
        for http2 in [false, true] {
            try await LiveNode.with(http2: http2) { live in
                let answer = try await live.send(example.method, example.path)
                #expect(answer.status == example.status)
                #expect(answer.headers["allow"] == example.allow)
                #expect(answer.headers["content-security-policy"] != nil)
                if example.method == "HEAD" {
                    #expect(answer.body.isEmpty)
                    let whole = try await live.send("GET", example.path)
                    #expect(answer.headers["content-type"] == whole.headers["content-type"])
                }
            }
        }
    }

    struct Raw: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let text: String
        let status: String
    }

    private static let close = "Connection: close\r\n"
    private static func chunked(_ chunks: String) -> String {
        "POST /api/v1/accounts/prelogin HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n\(chunks)"
    }

    @Test(arguments: [
        Raw(testDescription: "one Host", text: "GET /livez HTTP/1.1\r\nHost: x\r\n\(close)\r\n", status: "200"),
        Raw(testDescription: "no Host", text: "GET /livez HTTP/1.1\r\n\(close)\r\n", status: "400"),
        Raw(testDescription: "an empty Host", text: "GET /livez HTTP/1.1\r\nHost:\r\n\(close)\r\n", status: "400"),
        Raw(
            testDescription: "two Hosts", text: "GET /livez HTTP/1.1\r\nHost: x\r\nHost: y\r\n\(close)\r\n",
            status: "400"),
        Raw(
            testDescription: "the same Host twice", text: "GET /livez HTTP/1.1\r\nHost: x\r\nHost: x\r\n\(close)\r\n",
            status: "400"),
        Raw(testDescription: "a chunk size that is no number", text: chunked("zz\r\n{}\r\n0\r\n\r\n"), status: "400"),
        Raw(testDescription: "a chunk size that is negative", text: chunked("-1\r\n{}\r\n0\r\n\r\n"), status: "400"),
        Raw(
            testDescription: "a chunk size beyond 64 bits", text: chunked("fffffffffffffffff\r\n{}\r\n"), status: "400"),
        Raw(testDescription: "a chunk longer than it says", text: chunked("1\r\n{}{}{}\r\n0\r\n\r\n"), status: "400"),
        Raw(testDescription: "no line end after a chunk", text: chunked("2\r\n{}xx0\r\n\r\n"), status: "400"),
    ])
    func requestsThatAreNone(_ example: Raw) async throws {
        try await LiveNode.with { live in
            let answer = try await LoadTests.Connection(live, saying: example.text).untilClosed()
            #expect(answer.hasPrefix("HTTP/1.1 \(example.status) "), "\(answer.prefix(300))")
            #expect(answer.components(separatedBy: "HTTP/1.1 ").count == 2, "one answer: \(answer)")
            if example.status == "400" { #expect(answer.contains("application/problem+json"), "\(answer)") }
        }
    }

    @Test(arguments: [
        ("application/json", 201), ("application/json; charset=utf-8", 201), ("APPLICATION/JSON", 201),
        ("text/plain", 415), ("application/x-www-form-urlencoded", 415), ("application/jsonp", 415), ("", 415),
        ("multipart/form-data; boundary=application/json", 415),
    ])
    func contentTypes(_ type: String, _ status: Int) async throws {
        try await LiveNode.with { live in
            let person = try await Person.register(live)
            let answer = try await live.send(
                "POST", "/api/v1/entries", token: person.token, headers: ["content-type": type],
                json: EntryWriteBody(title: "x", type: "note"))
            #expect(answer.status == status)
        }
    }

    @Test(arguments: ["AAAAAAAAAAAAAAAAAAAAAg", "short", "%00"]) func aSessionThatIsNotThereIs404(_ id: String)
        async throws
    {
        try await LiveNode.with { live in
            let person = try await Person.register(live)
            let other = try await Person.register(live)
            let theirs: SessionListBody = try await live.send("GET", "/api/v1/sessions", token: other.token).json()
            for id in [id] + theirs.sessions.map(\.id) {
                let answer = try await live.send("DELETE", "/api/v1/sessions/\(id)", token: person.token)
                #expect(answer.status == 404 && answer.problem == "no-such-session")
            }
            #expect(try await live.send("GET", "/api/v1/sessions", token: other.token).status == 200)
        }
    }

    // MARK: Nothing about others

    @Test func auditNumbersAreTheVaultsOwn() async throws {
        try await LiveNode.with { live in
            let person = try await Person.register(live)
            let other = try await Person.register(live)
            for _ in 0..<5 { _ = try await other.createLogin(live) }
            _ = try await person.createLogin(live)
            for _ in 0..<5 { _ = try await other.createLogin(live) }
            _ = try await person.createLogin(live)
            var (numbers, path): ([Int64], String?) = ([], "/api/v1/audit?limit=2")
            while let current = path {
                let page: AuditBody = try await live.send("GET", current, token: person.token).json()
                numbers += page.lines.map(\.sequence)
                path = page.next.map { "/api/v1/audit?limit=2&cursor=\($0)" }
            }
            #expect(numbers == [4, 3, 2, 1])
        }
    }

    @Test func aCursorLeadsOnInItsOwnListAndForItsOwnPrincipalAlone() async throws {
        try await LiveNode.with { live in
            let person = try await Person.register(live)
            let other = try await Person.register(live)
            for _ in 0..<3 {
                _ = try await person.createLogin(live)
                _ = try await other.createLogin(live)
            }
            let first: EntryListBody = try await live.send(
                "GET", "/api/v1/entries?limit=1", token: person.token
            ).json()
            let again: EntryListBody = try await live.send(
                "GET", "/api/v1/entries?limit=1", token: person.token
            ).json()
            let cursor = try #require(first.next)
            #expect(cursor != again.next, "it tells nothing, not even whether it is the same")
            func status(_ path: String, _ token: String) async throws -> Int {
                try await live.send("GET", path, token: token).status
            }
            #expect(try await status("/api/v1/entries?limit=1&cursor=\(cursor)", person.token) == 200)
            #expect(try await status("/api/v1/entries?limit=1&cursor=\(cursor)", other.token) == 400)
            #expect(try await status("/api/v1/trash?limit=1&cursor=\(cursor)", person.token) == 400)
            #expect(try await status("/api/v1/audit?limit=1&cursor=\(cursor)", person.token) == 400)
            #expect(try await status("/api/v1/entries?cursor=AAAAAAAAAAE", person.token) == 400)
            let search = try await live.send(
                "POST", "/api/v1/entries/search", token: person.token, json: SearchBody(text: "bank", limit: 1)
            ).json(EntryListBody.self)
            let otherSearch = try await live.send(
                "POST", "/api/v1/entries/search", token: person.token,
                json: SearchBody(text: "b", cursor: search.next, limit: 1))
            #expect(otherSearch.status == 400)
        }
    }

    @Test func requestIdsDoNotCount() async throws {
        try await LiveNode.with { live in
            var ids: [UInt64] = []
            for _ in 0..<8 {
                let answer = try await live.send("GET", "/livez")
                ids.append(try #require(answer.headers["x-request-id"].flatMap { UInt64($0, radix: 16) }))
            }
            let steps = zip(ids, ids.dropFirst()).map { $0 > $1 ? $0 - $1 : $1 - $0 }
            #expect(steps.allSatisfy { $0 > 1 << 32 })
        }
    }

    // MARK: What agents are denied is on record

    @Test func deniedCallsOfAnAgentAreOnRecordAndCounted() async throws {
        try await LiveNode.with { live in
            let person = try await Person.register(live)
            let entry = try await person.createLogin(live)
            let hidden = try await person.createLogin(live, title: "hidden")
            let agent = try await person.agent(
                live, AgentWriteBody(name: "a", grants: [GrantBody(entry: entry.id, fields: .all)], verbs: ["read"]))
            let token = agent.token
            let field = try hidden.field("API key").id
            let calls: [(String, String, String)] = [
                ("GET", "/api/v1/agents", "owner-only"), ("GET", "/api/v1/audit", "owner-only"),
                ("DELETE", "/api/v1/account", "owner-only"), ("GET", "/api/v1/entries/\(hidden.id)", "no-such-entry"),
                ("GET", "/api/v1/entries/\(EntryID.random().text)", "no-such-entry"),
                ("GET", "/api/v1/entries/\(hidden.id)/fields/\(field)", "no-such-field"),
            ]
            for (method, path, _) in calls {
                let answer = try await live.send(method, path, token: token)
                #expect(answer.status == 403 || answer.status == 404)
            }
            let write = try await live.send(
                "PATCH", "/api/v1/entries/\(entry.id)", token: token, headers: ["if-match": "\"1\""],
                json: EntryWriteBody(title: "x"))
            #expect(write.problem == "verb-missing")
            try await live.node.failures.flush(isStopping: true)
            let audit: AuditBody = try await live.send("GET", "/api/v1/audit", token: person.token).json()
            let denied = audit.lines.filter { $0.action == "denied" && $0.actor == agent.id }
            var counts: [String: Int] = [:]
            for line in denied { counts[line.reason ?? "", default: 0] += line.count ?? 1 }
            #expect(counts == ["owner-only": 3, "no-such-entry": 2, "no-such-field": 1, "verb-missing: write": 1])
        }
    }

    @Test func aUsedUpTokenListsNothingAndARepeatedRequestStillGetsItsAnswer() async throws {
        try await LiveNode.with { live in
            let person = try await Person.register(live)
            let agent = try await person.agent(
                live, AgentWriteBody(name: "a", grants: [], verbs: ["deposit"], maxUses: .some(1)))
            // The same bytes, which two encodings of one body need not be.
            let body = Array(try JSONEncoder().encode(EntryWriteBody(title: "once", type: "note")))
            func deposit() async throws -> LiveNode.Answer {
                try await live.send(
                    "POST", "/api/v1/deposits", token: agent.token, headers: ["idempotency-key": "k"], body: body)
            }
            let first = try await deposit()
            let second = try await deposit()
            #expect(first.status == 201 && second.body == first.body)
            for (method, path) in [("GET", "/api/v1/entries"), ("POST", "/api/v1/entries/search")] {
                let answer = try await live.send(
                    method, path, token: agent.token, headers: ["idempotency-key": "k"],
                    body: method == "POST" ? Array("{}".utf8) : nil)
                #expect(answer.status == 403 && answer.problem == "uses-exhausted")
            }
        }
    }
}
