import Encoding
import NodeCore
import SQLite
import Storage
import Testing
import VaultFormat
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
            let id = EntryID.random()
            let fields = (0..<5).map { _ in FieldID.random() }
            let key = L2EntryKey.generate(
                for: id, in: person.vault, fields: Dictionary(uniqueKeysWithValues: fields.map { ($0, 1) }))
            let row = L2Key.generate(for: person.vault, generation: 1).sealed(key)
            _ = try await person.create(
                live,
                EntryWriteBody(
                    id: id.text, title: "L2",
                    fields: fields.map {
                        FieldWriteBody(
                            id: $0.text, label: $0.text, tier: 2,
                            envelope: Base64URL.encode(key.seal([1], field: $0, version: 1)))
                    }, l2: L2EntryBody(generation: 1, key: 1, box: Base64URL.encode(row))))
            let list = "/api/v1/entries/\(id.text)/l2?limit=2"
            var (seen, path): (Set<String>, String?) = ([], list)
            while let current = path {
                let page: L2ValuesBody = try await live.send("GET", current, token: person.token).json()
                #expect(page.envelopes.count <= 2)
                #expect(page.envelopes.allSatisfy(\.isCurrent) && page.version == 1 && page.l2.key == 1)
                seen.formUnion(page.envelopes.map(\.field))
                path = page.next.map { "\(list)&cursor=\($0)" }
            }
            #expect(seen == Set(fields.map(\.text)))
            // Each page has an audit line with the number of values.
            let audit: AuditBody = try await live.send("GET", "/api/v1/audit", token: person.token).json()
            let exports = audit.lines.filter { $0.action == "export" }
            #expect(exports.compactMap(\.count) == [1, 2, 2] && exports.allSatisfy { $0.reason == "l2" })
        }
    }
}
