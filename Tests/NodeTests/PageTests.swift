import NodeCore
import SQLite
import Storage
import Testing
import Wire

/// Pagination: bounded pages without gaps.
@Suite(.timeLimit(.minutes(15))) struct PageTests {
    private static func note(_ bytes: Int) -> EntryWriteBody {
        EntryWriteBody(title: "large", type: "note", notes: String(repeating: "n", count: bytes))
    }

    @Test func aPageIsBoundedInBytesAndTheNextContinues() async throws {
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

    /// Lists succeed although all values are damaged, because they read no values.
    @Test func listsReadNoValue() async throws {
        try await LiveNode.with { live in
            let person = try await Person.register(live)
            let entry = try await person.createLogin(live)
            let agent = try await person.agent(
                live, AgentWriteBody(name: "a", grants: [GrantBody(entry: entry.id, fields: .all)], verbs: ["read"]))
            _ = try await live.node.store.database.maintain { db in
                try db.run("UPDATE value SET box = x'00' WHERE tier > 0")
            }
            for path in ["/api/v1/entries", "/api/v1/entries/\(entry.id)", "/api/v1/entries/\(entry.id)/versions"] {
                #expect(try await live.send("GET", path, token: person.token).status == 200)
            }
            for path in ["/api/v1/entries", "/api/v1/entries/\(entry.id)"] {
                #expect(try await live.send("GET", path, token: agent.token).status == 200)
            }
            let found = try await live.send(
                "POST", "/api/v1/entries/search", token: person.token, json: SearchBody(text: "bank"))
            #expect(found.status == 200)
        }
    }

    @Test func l2ValuesArePaged() async throws {
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
            // Each page has an audit line with the number of values.
            let audit: AuditBody = try await live.send("GET", "/api/v1/audit", token: person.token).json()
            let exports = audit.lines.filter { $0.action == "export" }
            #expect(exports.compactMap(\.count) == [1, 2, 2] && exports.allSatisfy { $0.reason == "l2" })
        }
    }
}
