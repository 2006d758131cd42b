import Foundation
import NodeCore
import RootKeySources
import Testing
import VaultFormat
import Wire

@testable import clavitor_node

@Suite(.timeLimit(.minutes(15))) struct BadInputTests {
    struct Body: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let bytes: [UInt8]
        let status: Int
        let problem: String

        init(_ description: String, _ text: String, _ status: Int, _ problem: String) {
            self.init(description, Array(text.utf8), status, problem)
        }

        init(_ description: String, _ bytes: [UInt8], _ status: Int, _ problem: String) {
            testDescription = description
            self.bytes = bytes
            self.status = status
            self.problem = problem
        }
    }

    static let bodies = [
        Body("nothing", "", 400, "malformed"),
        Body("a comma too many", #"{"title":"a","tags":["x",]}"#, 400, "malformed"),
        Body("cut short", #"{"title":"a","fie"#, 400, "malformed"),
        Body("no object", "[]", 400, "malformed"),
        Body("a wrong type", #"{"title":7}"#, 400, "malformed"),
        Body("something behind it", #"{"title":"a"} {}"#, 400, "malformed"),
        Body("a member twice", #"{"title":"a","title":"b"}"#, 400, "malformed"),
        Body("a member twice, once escaped", #"{"title":"a","\u0074itle":"b"}"#, 400, "malformed"),
        Body("deep nesting", #"{"title":"# + String(repeating: "[", count: 10_000), 400, "malformed"),
        Body("invalid UTF-8", Array(#"{"title":""#.utf8) + [0xff, 0xfe] + Array(#""}"#.utf8), 400, "malformed"),
        Body("half a surrogate pair", #"{"title":"\ud800"}"#, 400, "malformed"),
        Body("a NUL", #"{"title":"a\u0000b"}"#, 422, "invalid"),
        Body("an unknown type", #"{"title":"a","type":"virus"}"#, 400, "malformed"),
        Body("an empty title", #"{"title":" "}"#, 422, "invalid"),
        Body("no title", #"{}"#, 422, "invalid"),
        Body("a title that is too long", #"{"title":"\#(String(repeating: "x", count: 1_025))"}"#, 422, "invalid"),
        Body("an id that is none", #"{"title":"a","id":"short"}"#, 400, "malformed"),
        Body(
            "a reserved field id", #"{"title":"a","fields":[{"id":"AAAAAAAAAAAAAAAAAAAAAA","label":"x","value":"y"}]}"#,
            422, "invalid"),
        Body(
            "value and envelope", #"{"title":"a","fields":[{"label":"x","value":"y","envelope":"AA"}]}"#, 400,
            "malformed"),
        Body("L2 in the clear", #"{"title":"a","fields":[{"label":"x","tier":2,"value":"y"}]}"#, 422, "invalid"),
        Body(
            "an envelope that is no box",
            #"{"title":"a","fields":[{"id":"\#(FieldID.random().text)","label":"x","tier":2,"envelope":"AAAA"}]}"#, 422,
            "invalid"),
        Body(
            "a tier that is none", #"{"title":"a","fields":[{"label":"x","tier":256,"value":"y"}]}"#, 400, "malformed"),
        Body("ten megabytes", [UInt8](repeating: 0x20, count: 10 << 20), 413, "too-large"),
    ]

    @Test func everyBadBodyGetsItsProblemAndChangesNothing() async throws {
        try await LiveNode.with(http2: false) { live in
            let person = try await Person.register(live)
            for body in Self.bodies {
                let answer = try await live.send("POST", "/api/v1/entries", token: person.token, body: body.bytes)
                #expect(answer.status == body.status, "\(body.testDescription)")
                #expect(answer.problem == body.problem, "\(body.testDescription)")
                #expect(answer.headers["content-type"] == "application/problem+json", "\(body.testDescription)")
                let problem: Problem = try answer.json()
                #expect(problem.detail?.isEmpty == false, "\(body.testDescription) does not say what to do")
            }
            let list: EntryListBody = try await live.send("GET", "/api/v1/entries", token: person.token).json()
            #expect(list.entries.isEmpty)
        }
    }

    @Test func everyTruncationOfAValidBodyIsRejected() async throws {
        try await LiveNode.with { live in
            let person = try await Person.register(live)
            let good = Array(
                #"{"title":"a \u00e9","tags":["x"],"fields":[{"label":"l","kind":"text","tier":1,"value":"v"}]}"#.utf8)
            for count in 0..<good.count {
                let answer = try await live.send(
                    "POST", "/api/v1/entries", token: person.token, body: Array(good.prefix(count)))
                #expect(answer.status == 400, "cut to \(count) bytes")
            }
            let whole = try await live.send("POST", "/api/v1/entries", token: person.token, body: good)
            #expect(whole.status == 201)
        }
    }

    @Test func invalidTokensGetTheSameResponse() async throws {
        try await LiveNode.with { live in
            let person = try await Person.register(live)
            var other = Array(person.token)
            other[20] = other[20] == "a" ? "b" : "a"
            let spent = try await person.login(live).token
            let ended = try await live.send("DELETE", "/api/v1/sessions/current", token: spent)
            #expect(ended.status == 204)
            for token in [
                "", "x", String(person.token.dropLast()), person.token + "0", String(other), spent,
                "clv_agt_" + person.token.dropFirst(8), "clv_ses_" + String(repeating: "z", count: 49),
            ] {
                let answer = try await live.send("GET", "/api/v1/entries", token: token)
                #expect(answer.status == 401)
                #expect(answer.problem == "bad-token")
                #expect(answer.headers["www-authenticate"] == "Bearer")
            }
        }
    }

    @Test func aStaleWriteChangesNothing() async throws {
        try await LiveNode.with { live in
            let person = try await Person.register(live)
            let entry = try await person.createLogin(live)
            let path = "/api/v1/entries/\(entry.id)"
            let without = try await live.send("PATCH", path, token: person.token, json: EntryWriteBody(title: "x"))
            #expect(without.status == 428)
            let first = try await live.send(
                "PATCH", path, token: person.token, headers: ["if-match": "\"1\""], json: EntryWriteBody(title: "first")
            )
            #expect(first.status == 200)
            #expect(first.headers["etag"] == "\"2\"")
            let stale = try await live.send(
                "PATCH", path, token: person.token, headers: ["if-match": "\"1\""], json: EntryWriteBody(title: "stale")
            )
            #expect(stale.status == 412)
            let problem: Problem = try stale.json()
            #expect(problem.version == 2)
            let now: EntryBody = try await live.send("GET", path, token: person.token).json()
            #expect(now.title == "first")
        }
    }

    @Test func oneOfManyConcurrentWritersWins() async throws {
        try await LiveNode.with { live in
            let person = try await Person.register(live)
            let entry = try await person.createLogin(live)
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for index in 0..<8 {
                    group.addTask {
                        try await live.send(
                            "PATCH", "/api/v1/entries/\(entry.id)", token: person.token, headers: ["if-match": "\"1\""],
                            json: EntryWriteBody(title: "writer \(index)")
                        ).status
                    }
                }
                return try await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
            }
            #expect(statuses == [200: 1, 412: 7])
        }
    }

    @Test func aRepeatedRequestIsPerformedOnce() async throws {
        try await LiveNode.with { live in
            let person = try await Person.register(live)
            let headers = ["idempotency-key": "one"]
            let body = Array(#"{"title":"once","type":"note"}"#.utf8)
            let first: EntryBody = try await live.send(
                "POST", "/api/v1/entries", token: person.token, headers: headers, body: body
            ).json()
            let second: EntryBody = try await live.send(
                "POST", "/api/v1/entries", token: person.token, headers: headers, body: body
            ).json()
            #expect(first == second)
            let other = try await live.send(
                "POST", "/api/v1/entries", token: person.token, headers: headers, json: EntryWriteBody(title: "other"))
            #expect(other.status == 422)
            let list: EntryListBody = try await live.send("GET", "/api/v1/entries", token: person.token).json()
            #expect(list.entries.count == 1)
        }
    }

    @Test func everyResponseHasTheSecurityHeaders() async throws {
        try await LiveNode.with { live in
            for path in ["/livez", "/api/v1/entries", "/nothing", "/openapi.json"] {
                let answer = try await live.send("GET", path)
                #expect(answer.headers["cache-control"] == "no-store")
                #expect(answer.headers["x-content-type-options"] == "nosniff")
                #expect(answer.headers["strict-transport-security"] != nil)
                #expect(answer.headers["content-security-policy"]?.contains("default-src 'none'") == true)
                #expect(answer.headers["x-request-id"] != nil)
                #expect(answer.headers["server"] == nil)
            }
        }
    }
}
