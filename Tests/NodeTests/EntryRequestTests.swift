import Foundation
import Testing
import Wire

/// What a client must know of requests for entries, and what `/openapi.json` says of it.
@Suite(.timeLimit(.minutes(2))) struct EntryRequestTests {
    private static let otherID = "AAECAwQFBgcICQoLDA0ODw"

    @Test func aReplacementNamesItsFields() async throws {
        try await LiveNode.with { live in
            let owner = try await Person.register(live)
            let entry = try await live.send(
                "POST", "/api/v1/entries", token: owner.token,
                json: EntryWriteBody(title: "t", fields: [FieldWriteBody(label: "pin", value: "1")])
            ).json(EntryBody.self)
            let (path, match) = ("/api/v1/entries/\(entry.id)", ["if-match": "\"1\""])
            let without = try await live.send(
                "PUT", path, token: owner.token, headers: match, json: EntryWriteBody(title: "new"))
            #expect(without.status == 400 && without.problem == "malformed")
            for method in ["PUT", "PATCH"] {
                let foreign = try await live.send(
                    method, path, token: owner.token, headers: match,
                    json: EntryWriteBody(id: Self.otherID, title: "new", fields: []))
                #expect(foreign.status == 400 && foreign.problem == "malformed", "\(method)")
            }
            let same = try await live.send("GET", path, token: owner.token)
            #expect(try same.json(EntryBody.self) == entry)
            // Its own id may be named.
            let replaced = try await live.send(
                "PUT", path, token: owner.token, headers: match, json: EntryWriteBody(id: entry.id, fields: []))
            #expect(replaced.status == 200 && replaced.headers["etag"] == "\"2\"")
            #expect(try replaced.json(EntryBody.self).fields.isEmpty)
            #expect(try replaced.json(EntryBody.self).title == "t")
        }
    }

    @Test func aDepositHasNoIDOfItsOwn() async throws {
        try await LiveNode.with { live in
            let owner = try await Person.register(live)
            let robot = try await owner.agent(live, AgentWriteBody(name: "robot", grants: [], verbs: ["deposit"]))
            let answer = try await live.send(
                "POST", "/api/v1/deposits", token: robot.token,
                json: EntryWriteBody(id: Self.otherID, title: "t", fields: []))
            #expect(answer.status == 400 && answer.problem == "malformed")
        }
    }

    @Test func aRepeatedCreationHasTheSameETag() async throws {
        try await LiveNode.with { live in
            let owner = try await Person.register(live)
            let body = Array(#"{"title":"t","fields":[]}"#.utf8)
            for _ in 0..<2 {
                let answer = try await live.send(
                    "POST", "/api/v1/entries", token: owner.token, headers: ["idempotency-key": "k"], body: body)
                #expect(answer.status == 201 && answer.headers["etag"] == "\"1\"")
            }
        }
    }

    @Test func theDescriptionSaysWhatAClientMustKnow() async throws {
        try await LiveNode.with { live in
            let text = try await live.send("GET", "/openapi.json").body
            let document = try #require(try JSONSerialization.jsonObject(with: Data(text)) as? [String: Any])
            let paths = try #require(document["paths"] as? [String: [String: [String: Any]]])
            func operation(_ method: String, _ path: String) throws -> [String: Any] {
                try #require(paths[path]?[method])
            }
            func description(_ method: String, _ path: String, _ part: String) throws -> String? {
                (try operation(method, path)[part] as? [String: Any])?["description"] as? String
            }
            let restore = try operation("post", "/api/v1/entries/{id}/restore")
            let parameters = try #require(restore["parameters"] as? [[String: Any]])
            let match = try #require(parameters.first { $0["name"] as? String == "If-Match" })
            #expect((match["description"] as? String)?.contains("restore") == true)
            let limit = try description("post", "/api/v1/entries", "requestBody")
            #expect(limit == "At most 4194304 bytes and 2048 JSON values.")
            let created = try operation("post", "/api/v1/entries")["responses"] as? [String: [String: Any]]
            #expect((created?["201"]?["headers"] as? [String: Any])?["ETag"] != nil)
            #expect(try operation("delete", "/api/v1/account")["description"] as? String != nil)
            let ready = try operation("get", "/readyz")["responses"] as? [String: Any]
            #expect(ready?["503"] != nil)
            let schemas = try #require(
                (document["components"] as? [String: Any])?["schemas"] as? [String: [String: Any]])
            let maxUses = (schemas["AgentWrite"]?["properties"] as? [String: [String: Any]])?["maxUses"]
            #expect(maxUses?["oneOf"] != nil)
        }
    }
}
