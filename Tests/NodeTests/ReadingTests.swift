import Foundation
import NodeCore
import RootKeySources
import Storage
import Testing
import VaultFormat
import Wire

@testable import clavitor_node

@Suite(.timeLimit(.minutes(15))) struct ReadingTests {
    @Test(arguments: [true, false]) func aPersonReadsBackWhatWasStored(http2: Bool) async throws {
        try await LiveNode.with(http2: http2) { live in
            let person = try await Person.register(live)
            let entry = try await person.createLogin(live)
            let name = try entry.field("user name")
            let read: FieldValueBody = try await live.send(
                "GET", "/api/v1/entries/\(entry.id)/fields/\(name.id)", token: person.token
            ).json()
            #expect(read.value == "alice")
            let secret: FieldValueBody = try await live.send(
                "GET", "/api/v1/entries/\(entry.id)/fields/\(try entry.field("password").id)", token: person.token
            ).json()
            #expect(secret.envelope != nil)
            #expect(secret.value == nil)
            #expect(secret.label == "password")
        }
    }

    @Test func anAgentSeesItsFieldAndTheTitleAndNothingElse() async throws {
        try await LiveNode.with { live in
            let person = try await Person.register(live)
            let entry = try await person.createLogin(live)
            let other = try await person.createLogin(live, title: "Mail")
            let key = try entry.field("API key")
            let agent = try await person.agent(
                live,
                AgentWriteBody(
                    name: "bot", grants: [GrantBody(entry: entry.id, fields: .only([key.id]))], verbs: ["read"]))
            let list: EntryListBody = try await live.send("GET", "/api/v1/entries", token: agent.token).json()
            #expect(list.entries.map(\.title) == ["Bank"])
            #expect(list.entries.first?.fields.map(\.label) == ["API key"])
            #expect(list.entries.first?.urls == nil)
            let read: FieldValueBody = try await live.send(
                "GET", "/api/v1/entries/\(entry.id)/fields/\(key.id)", token: agent.token
            ).json()
            #expect(read.value == "key-Bank")

            // Ungranted, L2, another entry's, nobody's: all the same answer.
            let otherPerson = try await Person.register(live)
            let foreign = try await otherPerson.createLogin(live)
            var answers: Set<String> = []
            for path in [
                "\(entry.id)/fields/\(try entry.field("user name").id)",
                "\(entry.id)/fields/\(try entry.field("password").id)",
                "\(other.id)/fields/\(try other.field("API key").id)",
                "\(foreign.id)/fields/\(try foreign.field("API key").id)",
                "\(EntryID.random().text)/fields/\(FieldID.random().text)",
                "nonsense/fields/nonsense",
                "\(entry.id)/fields/\(FieldID.title.text)",
                "\(entry.id)/fields/\(FieldID.details.text)",
            ] {
                let answer = try await live.send("GET", "/api/v1/entries/\(path)", token: agent.token)
                var problem: Problem = try answer.json()
                problem.requestId = nil
                answers.insert("\(answer.status) \(problem)")
            }
            #expect(answers.count == 1)
            #expect(answers.first?.hasPrefix("404") == true)
            for path in [other.id, foreign.id, EntryID.random().text, "nonsense"] {
                let answer = try await live.send("GET", "/api/v1/entries/\(path)", token: agent.token)
                #expect(answer.status == 404)
                #expect(answer.problem == "no-such-entry")
            }
        }
    }

    @Test func theAuditLogHasEveryRead() async throws {
        try await LiveNode.with { live in
            let person = try await Person.register(live)
            let entry = try await person.createLogin(live)
            let key = try entry.field("API key")
            let agent = try await person.agent(
                live, AgentWriteBody(name: "bot", grants: [GrantBody(entry: entry.id, fields: .only([key.id]))]))
            _ = try await live.send("GET", "/api/v1/entries/\(entry.id)/fields/\(key.id)", token: agent.token)
            let audit: AuditBody = try await live.send("GET", "/api/v1/audit", token: person.token).json()
            let read = try #require(audit.lines.first { $0.action == "value.read" })
            #expect(read.actorKind == "agent")
            #expect(read.actor == agent.id)
            #expect(read.entry == entry.id)
            #expect(read.field == key.id)
            #expect(read.from == "127.0.0.1")
            #expect(audit.lines.map(\.action).contains("entry.create"))
            #expect(audit.lines.map(\.action).contains("agent.create"))
            #expect(audit.lines.map(\.action).contains("login"))
            let refused = try await live.send("GET", "/api/v1/audit", token: agent.token)
            #expect(refused.status == 403)
            let findings = try Inspection(path: live.directory.database, keys: live.node.keys).findings()
            #expect(findings.isEmpty)
        }
    }

    @Test func newEntriesUnderAGrantedTagReachTheAgent() async throws {
        try await LiveNode.with { live in
            let person = try await Person.register(live)
            let agent = try await person.agent(
                live, AgentWriteBody(name: "deploy", grants: [GrantBody(tag: "prod", labels: .only(["api key"]))]))
            let entry = try await person.createLogin(live, tags: ["Prod"])
            let path = "/api/v1/entries/\(entry.id)/fields/\(try entry.field("API key").id)"
            let read: FieldValueBody = try await live.send("GET", path, token: agent.token).json()
            #expect(read.value == "key-Bank")
            let hidden = try await live.send(
                "GET", "/api/v1/entries/\(entry.id)/fields/\(try entry.field("user name").id)", token: agent.token)
            #expect(hidden.status == 404)
            let untagged = try await live.send(
                "PATCH", "/api/v1/entries/\(entry.id)", token: person.token, headers: ["if-match": "\"1\""],
                json: EntryWriteBody(tags: []))
            #expect(untagged.status == 200)
            let gone = try await live.send("GET", path, token: agent.token)
            #expect(gone.status == 404)
        }
    }

    @Test func pagesCoverEveryEntryOnce() async throws {
        try await LiveNode.with { live in
            let person = try await Person.register(live)
            var wanted: Set<String> = []
            for index in 0..<7 {
                wanted.insert(try await person.create(live, EntryWriteBody(title: "entry \(index)", type: "note")).id)
            }
            var seen: [String] = []
            var path: String? = "/api/v1/entries?limit=3"
            while let current = path {
                let page: EntryListBody = try await live.send("GET", current, token: person.token).json()
                #expect(page.entries.count <= 3)
                seen += page.entries.map(\.id)
                path = page.next.map { "/api/v1/entries?limit=3&cursor=\($0)" }
            }
            #expect(seen.count == 7)
            #expect(Set(seen) == wanted)
        }
    }
}
