import Auth
import Foundation
import NodeCore
import RootKeySources
import Testing
import VaultFormat
import Wire

@testable import clavitor_node

/// Responses reveal nothing about other tenants, and denials are in the audit log.
@Suite(.timeLimit(.minutes(15))) struct TenantIsolationTests {
    @Test(arguments: ["AAAAAAAAAAAAAAAAAAAAAg", "short", "%00"]) func anUnknownSessionIsNotFound(_ id: String)
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

    @Test func auditNumbersCountOneVaultOnly() async throws {
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

    @Test func aCursorIsBoundToItsListAndPrincipal() async throws {
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

    @Test func requestIdsAreRandom() async throws {
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

    @Test func deniedRequestsOfAnAgentAreAuditedAndCounted() async throws {
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

    @Test func anExhaustedTokenListsNothingButRepeatedRequestsGetTheirResponse() async throws {
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
