import Crypto
import SQLite
import TestSupport
import Testing
import Vault
import VaultFormat

@Suite struct HistoryTests {
    let node: TestVault
    let owner: Principal
    let person = Person()

    init() async throws {
        node = try TestVault()
        owner = try await node.owner(person)
    }

    @Test func everyVersionIsListedNewestFirst() async throws {
        let entry = try await node.entries.create(.login(), id: nil, as: owner)
        node.moments.advance(by: 5)
        _ = try await node.entries.update(entry.id, ifVersion: 1, .value("b", of: entry.field("password")), as: owner)
        _ = try await node.entries.update(entry.id, ifVersion: 2, EntryEdit(title: "Renamed"), as: owner)
        let versions = try await node.entries.versions(of: entry.id, as: owner)
        #expect(versions.map(\.version) == [3, 2, 1])
        #expect(versions.map(\.fields.count) == [0, 1, 2])
        #expect(versions[1].at == versions[2].at + 5)
        #expect(versions.allSatisfy { $0.by == owner.id })
    }

    @Test func readsOfOldVersionsAreLogged() async throws {
        let entry = try await node.entries.create(.login(), id: nil, as: owner)
        let field = entry.field("password")
        _ = try await node.entries.update(entry.id, ifVersion: 1, .value("b", of: field), as: owner)
        let old = try await node.entries.read(field, of: entry.id, at: 1, as: owner)
        let event = try await node.events(as: owner).first
        #expect(old.content == .value("hunter2"))
        #expect(event?.action == .valueRead && event?.version == 1)
    }

    @Test func aRemovedFieldKeepsItsHistory() async throws {
        let entry = try await node.entries.create(.login(), id: nil, as: owner)
        let field = entry.field("password")
        _ = try await node.entries.update(
            entry.id, ifVersion: 1, EntryEdit(fields: [.init(id: field, isRemoved: true)]), as: owner)
        let now = await thrown { try await node.value(field, of: entry.id, as: owner) }
        let old = try await node.entries.read(field, of: entry.id, at: 1, as: owner)
        #expect(now as? VaultError == .noSuchField)
        #expect(old.content == .value("hunter2"))
    }

    @Test func anAgentCannotReadHistory() async throws {
        let entry = try await node.entries.create(.login(), id: nil, as: owner)
        let field = entry.field("password")
        let agent = try await node.principal(try await node.agent(grants: [.entry(entry.id)], as: owner))
        await #expect(throws: VaultError.ownerOnly) {
            try await node.entries.read(field, of: entry.id, at: 1, as: agent)
        }
        await #expect(throws: VaultError.ownerOnly) { try await node.entries.versions(of: entry.id, as: agent) }
    }

    @Test func aNewVersionRevokesTheOldOnesKeyFromAgents() async throws {
        let entry = try await node.entries.create(.login(), id: nil, as: owner)
        let field = entry.field("password")
        let robot = try await node.agent(grants: [.entry(entry.id)], as: owner)
        _ = try await node.entries.update(entry.id, ifVersion: 1, .value("b", of: field), as: owner)
        let versions = try node.file().all(
            "SELECT version FROM wrap WHERE holder = ? AND field = ? AND part = 0", .blob(robot.holder.id.bytes),
            .blob(field.bytes)
        ) { $0.int(0) }
        #expect(versions == [2])
    }

    @Test func restoringBringsAVersionBackCompletely() async throws {
        let entry = try await node.entries.create(.login("First", tags: ["old"]), id: nil, as: owner)
        let password = entry.field("password")
        _ = try await node.entries.update(
            entry.id, ifVersion: 1,
            EntryEdit(
                title: "Second", tags: ["new"],
                fields: [
                    .init(id: password, content: .value("changed")),
                    .init(id: entry.field("username"), isRemoved: true),
                    .init(label: "pin", content: .value("1")),
                ]), as: owner)
        let restored = try await node.entries.restore(entry.id, to: 1, ifVersion: 2, envelopes: [:], as: owner)
        let value = try await node.value(password, of: entry.id, as: owner)
        let username = try await node.value(entry.field("username"), of: entry.id, as: owner)
        let byTag = try await node.entries.search(.init(tag: "old"), limit: 5, as: owner).entries.count
        #expect(restored.version == 3 && restored.title == "First" && restored.details?.tags == ["old"])
        #expect(restored.fields.map(\.label) == ["username", "password"])
        #expect([value, username] == ["hunter2", "ada"])
        #expect(byTag == 1)
    }

    @Test func restoringRequiresTheCurrentVersionAndAnOlderOne() async throws {
        let entry = try await node.entries.create(.login(), id: nil, as: owner)
        _ = try await node.entries.update(entry.id, ifVersion: 1, EntryEdit(title: "b"), as: owner)
        await #expect(throws: VaultError.changedSince(version: 2)) {
            try await node.entries.restore(entry.id, to: 1, ifVersion: 1, envelopes: [:], as: owner)
        }
        for version in [-1, 0, 2, 3] {
            await #expect(throws: VaultError.noSuchVersion) {
                try await node.entries.restore(entry.id, to: version, ifVersion: 2, envelopes: [:], as: owner)
            }
        }
    }

    @Test func restoringChangedL2RequiresEnvelopes() async throws {
        let id = EntryID.random()
        let field = FieldID.random()
        var writer = L2Writer(person, entry: id)
        let first = writer.field(field, "one", label: "number")
        _ = try await node.entries.create(
            EntryEdit(title: "Card", fields: [first], l2: writer.write), id: id, as: owner)
        let second = writer.field(field, "two", label: nil, version: 2)
        _ = try await node.entries.update(id, ifVersion: 1, EntryEdit(fields: [second], l2: writer.write), as: owner)
        await #expect(throws: VaultError.needsEnvelopes([field])) {
            try await node.entries.restore(id, to: 1, ifVersion: 2, envelopes: [:], as: owner)
        }
        let fresh = writer.envelope("one", field, version: 3)
        let restored = try await node.entries.restore(
            id, to: 1, ifVersion: 2, envelopes: [field: fresh], l2: writer.write, as: owner)
        let read = try await node.entries.read(field, of: id, as: owner)
        #expect(restored.version == 3)
        #expect(read.content == .envelope(fresh))
        #expect(read.field.label == "number")
    }

    @Test func restoringUnchangedL2RequiresNoEnvelopes() async throws {
        let id = EntryID.random()
        let field = FieldID.random()
        var writer = L2Writer(person, entry: id)
        let box = writer.envelope("one", field)
        _ = try await node.entries.create(
            EntryEdit(
                title: "a", fields: [.init(id: field, label: "l", tier: .l2, content: .envelope(box))],
                l2: writer.write), id: id, as: owner)
        _ = try await node.entries.update(id, ifVersion: 1, EntryEdit(title: "b"), as: owner)
        let restored = try await node.entries.restore(id, to: 1, ifVersion: 2, envelopes: [:], as: owner)
        let read = try await node.entries.read(field, of: id, as: owner)
        #expect(restored.title == "a" && restored.fields.first?.version == 1)
        #expect(read.content == .envelope(box))
    }

    @Test func restoringAppliesTheCurrentGrants() async throws {
        let entry = try await node.entries.create(.login(tags: ["work"]), id: nil, as: owner)
        let robot = try await node.agent(grants: [.tag("work")], as: owner)
        _ = try await node.entries.update(entry.id, ifVersion: 1, EntryEdit(tags: []), as: owner)
        let agent = try await node.principal(robot)
        let without = await thrown { try await node.value(entry.field("password"), of: entry.id, as: agent) }
        _ = try await node.entries.restore(entry.id, to: 1, ifVersion: 2, envelopes: [:], as: owner)
        let with = try await node.value(entry.field("password"), of: entry.id, as: agent)
        #expect(without as? VaultError == .noSuchField)
        #expect(with == "hunter2")
    }
}
