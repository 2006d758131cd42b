import ArgumentParser
import Foundation
import NodeCore
import RootKeySources
import SQLite
import ServerRuntime
import Storage
import TestSupport
import Testing
import Wire

@testable import clavitor_node

/// Quotas over HTTP, small enough to be reached.
@Suite(.timeLimit(.minutes(15))) struct QuotaTests {
    private static func note(_ title: String = "n", bytes: Int = 10) -> EntryWriteBody {
        EntryWriteBody(title: title, type: "note", notes: String(repeating: "n", count: bytes))
    }

    struct Case: CustomTestStringConvertible, Sendable {
        let quota: String
        let most: Int
        /// Uses one more unit of the quota.
        let add: @Sendable (LiveNode, Person, Int) async throws -> LiveNode.Answer
        /// The number of successful uses.
        let admitted: Int
        var testDescription: String { quota }
    }

    static let cases = [
        Case(
            quota: "entries", most: 3,
            add: { live, person, _ in
                try await live.send("POST", "/api/v1/entries", token: person.token, json: note())
            }, admitted: 3),
        Case(
            quota: "bytes", most: 300_000,
            add: { live, person, _ in
                try await live.send("POST", "/api/v1/entries", token: person.token, json: note(bytes: 60_000))
            }, admitted: 4),
        Case(
            quota: "fields", most: 5,
            add: { live, person, _ in
                let fields = (0..<2).map { FieldWriteBody(label: "\($0)", kind: "text", tier: 1, value: "v") }
                return try await live.send(
                    "POST", "/api/v1/entries", token: person.token,
                    json: EntryWriteBody(title: "f", type: "note", fields: fields))
            }, admitted: 2),
        Case(
            quota: "agents", most: 2,
            add: { live, person, number in
                try await live.send(
                    "POST", "/api/v1/agents", token: person.token,
                    json: AgentWriteBody(
                        name: "\(number)", grants: [GrantBody(tag: "t", labels: .all)], verbs: ["read"]))
            }, admitted: 2),
    ]

    @Test(arguments: cases) func isEnforcedAndNamed(_ example: Case) async throws {
        try await LiveNode.with(quotas: ["\(example.quota)=\(example.most)"]) { live in
            let person = try await Person.register(live)
            var answers: [LiveNode.Answer] = []
            for number in 0..<(example.admitted + 2) { answers.append(try await example.add(live, person, number)) }
            #expect(answers.count { $0.status == 201 } == example.admitted)
            let refused = try #require(answers.last)
            #expect(refused.status == 403 && refused.problem == "quota-exceeded")
            #expect(try refused.json(Problem.self).member == example.quota)
            let account: AccountBody = try await live.send("GET", "/api/v1/account", token: person.token).json()
            #expect(account.quotas[example.quota] == example.most)
            #expect((account.usage[example.quota] ?? .max) <= example.most)
            // Another tenant has his own.
            let other = try await Person.register(live)
            #expect(try await example.add(live, other, 0).status == 201)
        }
    }

    @Test func deletionsFreeQuota() async throws {
        try await LiveNode.with(quotas: ["entries=1"]) { live in
            let person = try await Person.register(live)
            let first = try await person.create(live, Self.note())
            #expect(
                try await live.send("POST", "/api/v1/entries", token: person.token, json: Self.note()).status == 403)
            let path = "/api/v1/entries/\(first.id)"
            #expect(
                try await live.send("DELETE", path, token: person.token, headers: ["if-match": "\"1\""]).status == 204)
            #expect(try await live.send("DELETE", "/api/v1/trash/\(first.id)", token: person.token).status == 204)
            #expect(
                try await live.send("POST", "/api/v1/entries", token: person.token, json: Self.note()).status == 201)
        }
    }

    /// A vault above a lowered quota can still be reduced and changed.
    @Test func aVaultAboveALoweredQuotaCanBecomeSmaller() async throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let directory = DataDirectory(path: scratch.file("data"), rootKey: nil)
        let (person, entry) = try await LiveNode.with(directory: directory) { live in
            let person = try await Person.register(live)
            for _ in 0..<3 { _ = try await person.create(live, Self.note(bytes: 1_000)) }
            return (person, try await person.create(live, Self.note("last", bytes: 60_000)))
        }
        try await LiveNode.with(quotas: ["entries=2", "bytes=1000"], directory: directory) { live in
            let path = "/api/v1/entries/\(entry.id)"
            let larger = try await live.send(
                "PATCH", path, token: person.token, headers: ["if-match": "\"1\""],
                json: EntryWriteBody(notes: String(repeating: "n", count: 61_000)))
            #expect(larger.status == 403)
            let trashed = try await live.send(
                "DELETE", path, token: person.token, headers: ["if-match": "\"1\""])
            #expect(trashed.status == 204)
            #expect(try await live.send("DELETE", "/api/v1/trash/\(entry.id)", token: person.token).status == 204)
        }
    }

    @Test func anAgentsDepositsAndBytesAreBounded() async throws {
        try await LiveNode.with(quotas: ["agent-deposits=2", "agent-bytes-per-day=100000", "deposits=3"]) { live in
            let person = try await Person.register(live)
            func agent(_ name: String) async throws -> AgentTokenBody {
                try await person.agent(live, AgentWriteBody(name: name, grants: [], verbs: ["deposit"]))
            }
            func deposit(_ token: String, bytes: Int = 10) async throws -> LiveNode.Answer {
                try await live.send("POST", "/api/v1/deposits", token: token, json: Self.note(bytes: bytes))
            }
            let (one, other) = (try await agent("one"), try await agent("other"))
            var members: [String?] = []
            for _ in 0..<3 { members.append(try? await deposit(one.token).json(Problem.self).member) }
            #expect(members == [nil, nil, "agent-deposits"])
            let tooLarge = try await deposit(other.token, bytes: 65_000)
            let muchTooLarge = try await deposit(other.token, bytes: 65_000)
            #expect(tooLarge.status == 201)
            #expect(try muchTooLarge.json(Problem.self).member == "agent-bytes-per-day")
            let third = try await agent("third")
            #expect(try await deposit(third.token).json(Problem.self).member == "deposits")
            // What the owner looked at makes room.
            let waiting: EntryListBody = try await live.send("GET", "/api/v1/deposits", token: person.token).json()
            #expect(waiting.entries.count == 3)
            for entry in waiting.entries {
                #expect(
                    try await live.send("DELETE", "/api/v1/deposits/\(entry.id)", token: person.token).status == 204)
            }
            #expect(try await deposit(third.token).status == 201)
        }
    }

    @Test func dailyOperationsAreBoundedButRevocationsAreNot() async throws {
        try await LiveNode.with(quotas: ["operations-per-day=20"]) { live in
            let person = try await Person.register(live)
            let entry = try await person.createLogin(live)
            let agent = try await person.agent(
                live,
                AgentWriteBody(name: "a", grants: [GrantBody(entry: entry.id, fields: .all)], verbs: ["read"]))
            let path = "/api/v1/entries/\(entry.id)/fields/\(try entry.field("API key").id)"
            var statuses: [Int] = []
            for _ in 0..<22 { statuses.append(try await live.send("GET", path, token: agent.token).status) }
            // Four fifths, less what making entry and agent took.
            let read = statuses.count { $0 == 200 }
            #expect((10...14).contains(read) && statuses.last == 429)
            // The rest is the owner's.
            statuses = []
            for _ in 0..<6 { statuses.append(try await live.send("GET", path, token: person.token).status) }
            #expect(statuses.prefix(3).allSatisfy { $0 == 200 })
            let refused = try await live.send("GET", path, token: person.token)
            #expect(refused.status == 429 && refused.problem == "too-many-operations")
            #expect(refused.headers["retry-after"] != nil)
            #expect(try await person.login(live).expiresAt > 0)
            let paused = try await live.send(
                "PATCH", "/api/v1/agents/\(agent.id)", token: person.token, json: AgentWriteBody(paused: true))
            #expect(paused.status == 200)
            #expect(try await live.send("DELETE", "/api/v1/agents/\(agent.id)", token: person.token).status == 200)
        }
    }

    @Test func oldVersionsTrashAndDepositsExpireWithAuditLines() async throws {
        let clock = Shared(unixTime())
        let quotas = ["versions=3", "trash-days=2", "deposit-days=5", "history-days=20"]
        try await LiveNode.with(quotas: quotas, now: { clock.value }) { live in
            let person = try await Person.register(live)
            let entry = try await person.createLogin(live)
            let field = try entry.field("API key").id
            for version in 1...6 {
                let answer = try await live.send(
                    "PATCH", "/api/v1/entries/\(entry.id)", token: person.token,
                    headers: ["if-match": "\"\(version)\""],
                    json: EntryWriteBody(fields: [FieldWriteBody(id: field, value: "v\(version + 1)")]))
                #expect(answer.status == 200)
            }
            let trashed = try await person.create(live, Self.note())
            _ = try await live.send(
                "DELETE", "/api/v1/entries/\(trashed.id)", token: person.token, headers: ["if-match": "\"1\""])
            let agent = try await person.agent(live, AgentWriteBody(name: "a", grants: [], verbs: ["deposit"]))
            _ = try await live.send("POST", "/api/v1/deposits", token: agent.token, json: Self.note())
            let expiry = Expiry(node: live.node)
            func counts() async throws -> [Int] {
                // The clock runs on, so an earlier session may be over.
                let token = try await person.login(live).token
                var counts: [Int] = []
                for path in ["trash", "deposits"] {
                    let list: EntryListBody = try await live.send("GET", "/api/v1/\(path)", token: token).json()
                    counts.append(list.entries.count)
                }
                return counts
            }
            func read(_ version: Int) async throws -> Int {
                try await live.send(
                    "GET", "/api/v1/entries/\(entry.id)/fields/\(field)?version=\(version)", token: person.token
                ).status
            }
            try await expiry.run()
            #expect(try await counts() == [1, 1])
            // Version 7 is current; three before it are kept, by the changes themselves.
            #expect(try await [read(7), read(4), read(3)] == [200, 200, 404])
            clock.value += 2 * 86_400 + 1
            try await expiry.run()
            #expect(try await counts() == [0, 1])
            clock.value += 3 * 86_400
            try await expiry.run()
            #expect(try await counts() == [0, 0])
            let login = try await person.login(live)
            let audit: AuditBody = try await live.send("GET", "/api/v1/audit", token: login.token).json()
            let byNode = audit.lines.filter { $0.actorKind == "node" }
            #expect(Set(byNode.map(\.action)) == ["entry.purge", "deposit.expire"])
            #expect(audit.lines.filter { $0.action == "history.prune" }.compactMap(\.count).reduce(0, +) == 3)
            let findings = try await live.node.verification.run(live.node.store.database).findings
            #expect(findings.isEmpty, "\(findings)")
        }
    }

    /// Triggers count rows however they are inserted and deleted.
    @Test func usageMatchesTheStoredRows() async throws {
        try await LiveNode.with { live in
            let person = try await Person.register(live)
            var entries: [EntryBody] = []
            for index in 0..<6 { entries.append(try await person.createLogin(live, title: "\(index)", tags: ["t"])) }
            let agent = try await person.agent(
                live, AgentWriteBody(name: "a", grants: [GrantBody(tag: "t", labels: .all)], verbs: ["read", "write"]))
            _ = try await live.send(
                "PATCH", "/api/v1/entries/\(entries[0].id)", token: agent.token, headers: ["if-match": "\"1\""],
                json: EntryWriteBody(fields: [FieldWriteBody(id: try entries[0].field("API key").id, value: "x")]))
            for entry in entries[1...2] {
                _ = try await live.send(
                    "DELETE", "/api/v1/entries/\(entry.id)", token: person.token, headers: ["if-match": "\"1\""])
            }
            _ = try await live.send("DELETE", "/api/v1/trash/\(entries[1].id)", token: person.token)
            _ = try await live.send("POST", "/api/v1/agents/\(agent.id)/rotate", token: person.token)
            let (counted, there) = try await live.node.store.database.read { db in
                (
                    try db.first("SELECT bytes, entries, fields FROM usage") { [$0.int(0), $0.int(1), $0.int(2)] },
                    try db.first(
                        """
                        SELECT (SELECT sum(length(box) + 248) FROM value) + (SELECT sum(length(box) + 192) FROM wrap)
                                + (SELECT sum(length(box) + 208) FROM l2_entry)
                                + (SELECT count(*) * 160 FROM term) + (SELECT count(*) * 208 FROM entry),
                            (SELECT count(*) FROM entry),
                            (SELECT count(*) FROM value WHERE is_current = 1 AND tier > 0)
                        """
                    ) { [$0.int(0), $0.int(1), $0.int(2)] }
                )
            }
            #expect(counted == there)
        }
    }

    @Test(arguments: ["entries", "entries=", "entries=0", "entries=x", "entrys=5", "=5", "agents=100000"])
    func aQuotaThatIsNoneEndsTheStartWithWordsThatHelp(_ text: String) throws {
        let options = try ServeOptions.parse(["--dev", "--quota", text])
        let error = #expect(throws: Failure.self) { try NodeSettings(options) }
        #expect(error?.description.contains("--quota") == true)
    }
}
