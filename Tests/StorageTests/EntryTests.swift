import TestSupport
import Testing
import Vault
import VaultFormat

@Suite struct EntryTests {
    let node: TestVault
    let owner: Principal

    init() async throws {
        node = try TestVault()
        owner = try await node.owner()
    }

    @Test func aCreatedEntryIsRead() async throws {
        let made = try await node.entries.create(
            .login("Bank", urls: ["https://bank.example/login"], tags: ["money"]), id: nil, as: owner)
        let seen = try await node.entries.view(made.id, as: owner)
        let value = try await node.entries.read(made.field("password"), of: made.id, as: owner)
        #expect(seen.title == "Bank" && seen.type == .login && seen.version == 1 && seen.state == .active)
        #expect(seen.details?.urls == ["https://bank.example/login"] && seen.details?.tags == ["money"])
        #expect(seen.fields.map(\.label) == ["username", "password"])
        #expect(value.content == .value("hunter2"))
        #expect(value.field == seen.fields[1])
    }

    @Test func theClientMayChooseTheIds() async throws {
        let id = EntryID.random()
        let field = FieldID.random()
        let edit = EntryEdit(title: "t", fields: [.init(id: field, label: "l", content: .value("v"))])
        let made = try await node.entries.create(edit, id: id, as: owner)
        #expect(made.id == id)
        #expect(made.fields.map(\.id) == [field])
        await #expect(throws: VaultError.entryExists) { try await node.entries.create(edit, id: id, as: owner) }
    }

    @Test func aReadIsLogged() async throws {
        let entry = try await node.entries.create(.login(), id: nil, as: owner)
        let field = entry.field("password")
        _ = try await node.value(field, of: entry.id, as: owner)
        let event = try #require(try await node.events(as: owner).first)
        #expect(event.action == .valueRead && event.outcome == .ok)
        #expect(event.entry == entry.id.text && event.field == field.text && event.version == 1)
        #expect(event.from == "192.0.2.7")
    }

    @Test func aPatchChangesOnlyWhatItNames() async throws {
        let entry = try await node.entries.create(.login(tags: ["a"]), id: nil, as: owner)
        let patched = try await node.entries.update(
            entry.id, ifVersion: 1, .value("new", of: entry.field("password")), as: owner)
        let username = try await node.value(entry.field("username"), of: entry.id, as: owner)
        let password = try await node.value(entry.field("password"), of: entry.id, as: owner)
        #expect(patched.version == 2)
        #expect(patched.fields.map(\.version) == [1, 2])
        #expect(patched.title == "Bank" && patched.details?.tags == ["a"])
        #expect([username, password] == ["ada", "new"])
    }

    @Test func aReplacementRemovesOtherFields() async throws {
        let entry = try await node.entries.create(.login(), id: nil, as: owner)
        let replaced = try await node.entries.update(
            entry.id, ifVersion: 1,
            EntryEdit(title: "Other", fields: [.init(id: entry.field("password"))], replacesFields: true), as: owner)
        let gone = await thrown { try await node.value(entry.field("username"), of: entry.id, as: owner) }
        #expect(replaced.title == "Other")
        #expect(replaced.fields.map(\.label) == ["password"])
        #expect(gone as? VaultError == .noSuchField)
    }

    @Test func aFieldIsAddedAndRemoved() async throws {
        let entry = try await node.entries.create(.login(), id: nil, as: owner)
        let added = try await node.entries.update(
            entry.id, ifVersion: 1, EntryEdit(fields: [.init(label: "pin", content: .value("1234"))]), as: owner)
        let removed = try await node.entries.update(
            entry.id, ifVersion: 2, EntryEdit(fields: [.init(id: entry.field("password"), isRemoved: true)]), as: owner)
        let value = try await node.value(added.field("pin"), of: entry.id, as: owner)
        #expect(removed.fields.map(\.label) == ["username", "pin"])
        #expect(value == "1234")
    }

    @Test func aMissingFieldCannotBeRemoved() async throws {
        let entry = try await node.entries.create(.login(), id: nil, as: owner)
        await #expect(throws: VaultError.noSuchField) {
            try await node.entries.update(
                entry.id, ifVersion: 1, EntryEdit(fields: [.init(id: .random(), isRemoved: true)]), as: owner)
        }
    }

    @Test func aNewLabelIsVisibleEverywhere() async throws {
        let entry = try await node.entries.create(.login(tags: ["work"]), id: nil, as: owner)
        let field = entry.field("password")
        let robot = try await node.agent(grants: [.entry(entry.id, [field])], as: owner)
        _ = try await node.entries.update(
            entry.id, ifVersion: 1, EntryEdit(fields: [.init(id: field, label: "API key", kind: .text)]), as: owner)
        let agent = try await node.principal(robot)
        let read = try await node.entries.read(field, of: entry.id, as: owner)
        let view = try await node.entries.view(entry.id, as: owner)
        let byAgent = try await node.entries.view(entry.id, as: agent)
        let readByAgent = try await node.entries.read(field, of: entry.id, as: agent)
        #expect(view.fields.last?.label == "API key")
        #expect(read.field == view.fields.last)
        #expect(read.content == .value("hunter2"))
        #expect(byAgent.fields == [read.field])
        #expect(readByAgent == read)
    }

    @Test func anotherTierNeedsNewContent() async throws {
        let entry = try await node.entries.create(.login(), id: nil, as: owner)
        let error = await thrown {
            try await node.entries.update(
                entry.id, ifVersion: 1, EntryEdit(fields: [.init(id: entry.field("password"), tier: .l2)]), as: owner)
        }
        guard case .invalid("fields.tier", _) = error as? VaultError else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func aStaleWriteChangesNothing() async throws {
        let entry = try await node.entries.create(.login(), id: nil, as: owner)
        _ = try await node.entries.update(entry.id, ifVersion: 1, EntryEdit(title: "Second"), as: owner)
        await #expect(throws: VaultError.changedSince(version: 2)) {
            try await node.entries.update(entry.id, ifVersion: 1, EntryEdit(title: "Third"), as: owner)
        }
        let title = try await node.entries.view(entry.id, as: owner).title
        #expect(title == "Second")
    }

    @Test(.timeLimit(.minutes(15))) func ofConcurrentWritersExactlyOneSucceeds() async throws {
        let entry = try await node.entries.create(.login(), id: nil, as: owner)
        let errors = await withTaskGroup(of: (any Error)?.self) { group in
            for number in 0..<12 {
                group.addTask { [node, owner] in
                    await thrown {
                        try await node.entries.update(entry.id, ifVersion: 1, EntryEdit(title: "\(number)"), as: owner)
                    }
                }
            }
            return await group.reduce(into: [(any Error)?]()) { $0.append($1) }
        }
        let view = try await node.entries.view(entry.id, as: owner)
        #expect(errors.count { $0 == nil } == 1)
        #expect(errors.count { $0 as? VaultError == .changedSince(version: 2) } == 11)
        #expect(view.version == 2)
    }

    @Test func anotherAccountsEntryIsNotFound() async throws {
        let entry = try await node.entries.create(.login(), id: nil, as: owner)
        let bob = try await node.owner(Person("bob@example.org"))
        let errors = [
            await thrown { try await node.entries.view(entry.id, as: bob) },
            await thrown { try await node.entries.update(entry.id, ifVersion: 1, EntryEdit(title: "x"), as: bob) },
            await thrown { try await node.entries.trash(entry.id, ifVersion: nil, as: bob) },
            await thrown { try await node.entries.versions(of: entry.id, as: bob) },
        ]
        let read = await thrown { try await node.value(entry.field("password"), of: entry.id, as: bob) }
        #expect(errors.allSatisfy { $0 as? VaultError == .noSuchEntry })
        #expect(read as? VaultError == .noSuchField)
    }

    @Test func metadataIsNotReadableAsFields() async throws {
        let entry = try await node.entries.create(.login(), id: nil, as: owner)
        for field in [FieldID.title, .details] {
            await #expect(throws: VaultError.noSuchField) { try await node.value(field, of: entry.id, as: owner) }
            await #expect(throws: VaultError.noSuchVersion) {
                try await node.entries.read(field, of: entry.id, at: 1, as: owner)
            }
        }
    }

    @Test func aListContinuesWhereItEnded() async throws {
        for number in 0..<7 { _ = try await node.entries.create(.login("\(number)"), id: nil, as: owner) }
        var titles: [String] = []
        var after: Int64? = 0
        while let order = after {
            let page = try await node.entries.list(after: order, limit: 3, as: owner)
            titles += page.entries.map(\.title)
            after = page.next
        }
        #expect(titles == (0..<7).map { "\($0)" })
    }

    struct Search: CustomTestStringConvertible {
        var testDescription: String
        var query: Entries.Query
        var found: [String]
    }

    @Test(arguments: [
        Search(testDescription: "host", query: .init(host: "bank.example"), found: ["Bank"]),
        Search(testDescription: "host in a URL", query: .init(host: "https://BANK.example:443/x"), found: ["Bank"]),
        Search(testDescription: "tag", query: .init(tag: "Money"), found: ["Bank", "Card"]),
        Search(testDescription: "tag and host", query: .init(tag: "money", host: "bank.example"), found: ["Bank"]),
        Search(testDescription: "text in the title", query: .init(text: "CAR"), found: ["Card"]),
        Search(testDescription: "two words, anywhere", query: .init(text: "money username"), found: ["Bank", "Card"]),
        Search(testDescription: "tag and text", query: .init(text: "bank", tag: "money"), found: ["Bank"]),
        Search(testDescription: "a value is not searched", query: .init(text: "hunter2"), found: []),
        Search(testDescription: "another host", query: .init(host: "example"), found: []),
        Search(
            testDescription: "one word 500 times", query: .init(text: String(repeating: "m ", count: 500)),
            found: ["Bank", "Card", "Mail"]),
        Search(testDescription: "the last letters", query: .init(text: "oney"), found: ["Bank", "Card"]),
        Search(testDescription: "after a false start", query: .init(text: "sword"), found: ["Bank", "Card", "Mail"]),
        Search(testDescription: "not after two", query: .init(text: "ssword sssword"), found: []),
        Search(testDescription: "longer than all", query: .init(text: String(repeating: "m", count: 1_000)), found: []),
        Search(testDescription: "an empty query", query: .init(), found: ["Bank", "Card", "Mail"]),
    ])
    func finds(_ example: Search) async throws {
        _ = try await node.entries.create(
            .login("Bank", urls: ["https://bank.example/"], tags: ["money"]), id: nil, as: owner)
        _ = try await node.entries.create(.login("Card", tags: ["money"]), id: nil, as: owner)
        _ = try await node.entries.create(.login("Mail", urls: ["mail.example"]), id: nil, as: owner)
        let found = try await node.entries.search(example.query, limit: 10, as: owner).entries.map(\.title)
        #expect(found == example.found)
    }

    /// Each word is searched in everything that is read.
    @Test(arguments: [(16, true), (17, false), (250, false)]) func theNumberOfWordsIsLimited(
        _ count: Int, _ isTaken: Bool
    ) async {
        let text = (0..<count).map { "w\($0)" }.joined(separator: " ")
        let error = await thrown { try await node.entries.search(.init(text: text), limit: 5, as: owner) }
        #expect((error == nil) == isTaken)
    }
}
