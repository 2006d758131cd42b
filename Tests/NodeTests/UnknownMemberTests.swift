import Foundation
import Testing
import Wire

/// Rejection of unknown members and query parameters.
@Suite(.timeLimit(.minutes(15))) struct UnknownMemberTests {
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
        Unknown("PUT", "/api/v1/entries/a/l2", #"{"envelopes":[{"field":"a","fields":"b"}]}"#, "envelopes.fields"),
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

    @Test func anUnknownMemberIsRejectedByName() async throws {
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
    func anUnknownQueryParameterIsRejected(_ path: String) async throws {
        try await LiveNode.with { live in
            let person = try await Person.register(live)
            let answer = try await live.send("GET", path, token: person.token)
            #expect(answer.status == 400)
            #expect(answer.problem == "malformed")
        }
    }

    // MARK: HTTP

    // MARK: Nothing about others

    // MARK: What agents are denied is on record
}
