import SQLite
import TestSupport
import Testing
import Vault
import VaultFormat

@Suite struct AgentWriteTests {
    let node: TestVault
    let owner: Principal
    let entry: EntryView
    let field: FieldID
    let writer: Principal
    let reader: Principal

    init() async throws {
        node = try TestVault()
        owner = try await node.owner()
        entry = try await node.entries.create(.login(tags: ["work"]), id: nil, as: owner)
        field = entry.field("password")
        writer = try await node.principal(
            try await node.agent(grants: [.entry(entry.id)], policy: AgentPolicy(verbs: [.read, .write]), as: owner))
        reader = try await node.principal(try await node.agent(grants: [.tag("work")], as: owner))
    }

    @Test func everyCurrentReaderReadsAnAgentsValue() async throws {
        let view = try await node.entries.update(entry.id, ifVersion: 1, .value("rotated", of: field), as: writer)
        let values = [
            try await node.value(field, of: entry.id, as: owner), try await node.value(field, of: entry.id, as: reader),
            try await node.value(field, of: entry.id, as: writer),
        ]
        let old = try await node.entries.read(field, of: entry.id, at: 1, as: owner)
        #expect(view.version == 2)
        #expect(values == ["rotated", "rotated", "rotated"])
        #expect(old.content == .value("hunter2"))
    }

    @Test func anAgentsWriteAddsNoReaders() async throws {
        let other = try await node.principal(
            try await node.agent(grants: [.entry(entry.id, [entry.field("username")])], as: owner))
        _ = try await node.entries.update(entry.id, ifVersion: 1, .value("rotated", of: field), as: writer)
        let error = await thrown { try await node.value(field, of: entry.id, as: other) }
        let holders = try node.file().first(
            "SELECT count(*) FROM wrap WHERE field = ? AND version = 2", .blob(field.bytes)
        ) { $0.int(0) }
        #expect(error as? VaultError == .noSuchField)
        #expect(holders == 3)
    }

    @Test func authorAndReadersAreLogged() async throws {
        _ = try await node.entries.update(entry.id, ifVersion: 1, .value("rotated", of: field), as: writer)
        let event = try await node.events(as: owner).first
        let version = try await node.entries.versions(of: entry.id, as: owner).first
        #expect(event?.action == .entryUpdate && event?.actor.id == writer.id.text)
        #expect(event?.changed == [field.text] && event?.version == 2)
        #expect(event?.readers?[field.text] == [writer.id.text, reader.id.text].sorted())
        #expect(version?.by == writer.id)
    }

    @Test func labelAndKindStay() async throws {
        _ = try await node.entries.update(entry.id, ifVersion: 1, .value("rotated", of: field), as: writer)
        let read = try await node.entries.read(field, of: entry.id, as: owner)
        let view = try await node.entries.view(entry.id, as: owner)
        #expect(read.field.label == "password" && read.field.kind == .secret)
        #expect(view.fields.last?.version == 2)
    }

    @Test func aSealedWrapIsUpgradedAtTheFirstRead() async throws {
        _ = try await node.entries.update(entry.id, ifVersion: 1, .value("rotated", of: field), as: writer)
        let query: StaticString = "SELECT is_sealed FROM wrap WHERE field = ? AND version = 2 AND holder = ?"
        let before = try node.file().first(query, .blob(field.bytes), .blob(owner.holder.id.bytes)) { $0.int(0) }
        _ = try await node.value(field, of: entry.id, as: owner)
        let after = try node.file().first(query, .blob(field.bytes), .blob(owner.holder.id.bytes)) { $0.int(0) }
        let again = try await node.value(field, of: entry.id, as: owner)
        #expect(before == 1 && after == 0)
        #expect(again == "rotated")
    }

    struct Case: CustomTestStringConvertible {
        var testDescription: String
        var edit: @Sendable (FieldID) -> EntryEdit
        var error: VaultError?
    }

    @Test(arguments: [
        Case(testDescription: "the title", edit: { _ in EntryEdit(title: "x") }, error: .ownerOnly),
        Case(testDescription: "the tags", edit: { _ in EntryEdit(tags: ["mine"]) }, error: .ownerOnly),
        Case(testDescription: "the URLs", edit: { _ in EntryEdit(urls: []) }, error: .ownerOnly),
        Case(testDescription: "the notes", edit: { _ in EntryEdit(notes: "") }, error: .ownerOnly),
        Case(testDescription: "nothing", edit: { _ in EntryEdit() }, error: .ownerOnly),
        Case(
            testDescription: "a label", edit: { EntryEdit(fields: [.init(id: $0, label: "x", content: .value(""))]) },
            error: .ownerOnly),
        Case(
            testDescription: "a removal", edit: { EntryEdit(fields: [.init(id: $0, isRemoved: true)]) },
            error: .ownerOnly),
        Case(
            testDescription: "a new field", edit: { _ in EntryEdit(fields: [.init(content: .value(""))]) },
            error: .ownerOnly),
        Case(
            testDescription: "all fields",
            edit: { EntryEdit(fields: [.init(id: $0, content: .value(""))], replacesFields: true) }, error: .ownerOnly),
        Case(
            testDescription: "a field without a grant", edit: { _ in .value("x", of: .random()) }, error: .noSuchField),
        Case(testDescription: "a field without content", edit: { EntryEdit(fields: [.init(id: $0)]) }, error: nil),
    ])
    func anAgentWritesValuesOnly(_ example: Case) async throws {
        let error = await thrown {
            try await node.entries.update(entry.id, ifVersion: 1, example.edit(field), as: writer)
        }
        let view = try await node.entries.view(entry.id, as: owner)
        #expect(error != nil)
        if let expected = example.error { #expect(error as? VaultError == expected) }
        #expect(view == entryAsListed(view))
    }

    /// The entry as created, which a refused change must leave unchanged.
    private func entryAsListed(_ view: EntryView) -> EntryView {
        var expected = entry
        expected.order = view.order
        return expected
    }

    @Test func aStaleWriteByAnAgentChangesNothing() async throws {
        _ = try await node.entries.update(entry.id, ifVersion: 1, EntryEdit(title: "b"), as: owner)
        await #expect(throws: VaultError.changedSince(version: 2)) {
            try await node.entries.update(entry.id, ifVersion: 1, .value("x", of: field), as: writer)
        }
    }

    @Test func anAgentCannotCreateEntries() async throws {
        await #expect(throws: VaultError.ownerOnly) { try await node.entries.create(.login(), id: nil, as: writer) }
    }
}

@Suite struct DepositTests {
    let node: TestVault
    let owner: Principal
    let robot: TestAgent
    let agent: Principal

    init() async throws {
        node = try TestVault()
        owner = try await node.owner()
        robot = try await node.agent(
            grants: [.tag("inbox")], policy: AgentPolicy(verbs: [.deposit, .read]), as: owner)
        agent = try await node.principal(robot)
    }

    @Test func theDepositorCannotReadItBack() async throws {
        let id = try await node.entries.deposit(.login("Key", tags: ["inbox"]), as: agent)
        let deposits = try await node.entries.list(.deposit, limit: 5, as: owner).entries
        let field = try #require(deposits.first?.fields.first?.id)
        let wraps = try node.file().all("SELECT holder FROM wrap WHERE entry = ?", .blob(id.bytes)) { $0.blob(0) }
        let errors = [
            await thrown { try await node.entries.view(id, as: agent) },
            await thrown { try await node.value(field, of: id, as: agent) },
            await thrown { try await node.entries.list(.deposit, limit: 5, as: agent) },
        ]
        let listed = try await node.entries.list(limit: 5, as: agent).entries
        #expect(errors.map { $0 as? VaultError } == [.noSuchEntry, .noSuchField, .ownerOnly])
        #expect(listed.isEmpty)
        #expect(wraps.count == 6 && wraps.allSatisfy { $0 == owner.holder.id.bytes })
    }

    @Test func noOtherAgentReadsItBeforeItIsAccepted() async throws {
        let other = try await node.principal(try await node.agent(grants: [.tag("inbox")], as: owner))
        _ = try await node.entries.deposit(.login("Key", tags: ["inbox"]), as: agent)
        let before = try await node.entries.list(limit: 5, as: other).entries
        let id = try #require(try await node.entries.list(.deposit, limit: 5, as: owner).entries.first?.id)
        _ = try await node.entries.accept(id, as: owner)
        let after = try await node.entries.list(limit: 5, as: other).entries
        #expect(before.isEmpty)
        #expect(after.map(\.title) == ["Key"])
    }

    @Test func anAcceptedDepositIsARegularEntry() async throws {
        let id = try await node.entries.deposit(
            .login("Key", urls: ["https://key.example"], tags: ["inbox"]), as: agent)
        let accepted = try await node.entries.accept(id, as: owner)
        let found = try await node.entries.search(.init(tag: "inbox", host: "key.example"), limit: 5, as: owner).entries
        let value = try await node.value(accepted.field("password"), of: id, as: owner)
        let updated = try await node.entries.update(id, ifVersion: 1, EntryEdit(title: "Renamed"), as: owner)
        let sealed = try node.file().first(
            "SELECT count(*) FROM wrap WHERE entry = ? AND holder = ? AND is_sealed = 1", .blob(id.bytes),
            .blob(owner.holder.id.bytes)
        ) { $0.int(0) }
        #expect(accepted.state == .active && accepted.depositor == nil && accepted.version == 1)
        #expect(found.map(\.id) == [id])
        #expect(value == "hunter2")
        #expect(updated.version == 2)
        #expect(sealed == 0)
    }

    @Test func theOwnerSeesTheDepositor() async throws {
        _ = try await node.entries.deposit(.login("Key"), as: agent)
        let deposit = try await node.entries.list(.deposit, limit: 5, as: owner).entries.first
        let event = try await node.events(as: owner).first
        #expect(deposit?.depositor == robot.id)
        #expect(event?.action == .depositCreate && event?.actor.id == robot.id.text)
    }

    @Test func aRejectedDepositIsDeleted() async throws {
        let id = try await node.entries.deposit(.login("Key"), as: agent)
        try await node.entries.reject(id, as: owner)
        let left = try node.file().first("SELECT count(*) FROM value WHERE entry = ?", .blob(id.bytes)) { $0.int(0) }
        #expect(left == 0)
        await #expect(throws: VaultError.noSuchDeposit) { try await node.entries.accept(id, as: owner) }
    }

    @Test func onlyDepositsAreAcceptedOrRejected() async throws {
        let entry = try await node.entries.create(.login(), id: nil, as: owner)
        await #expect(throws: VaultError.noSuchDeposit) { try await node.entries.accept(entry.id, as: owner) }
        await #expect(throws: VaultError.noSuchDeposit) { try await node.entries.reject(entry.id, as: owner) }
    }

    @Test func theOwnerCannotDeposit() async throws {
        await #expect(throws: VaultError.self) { try await node.entries.deposit(.login(), as: owner) }
    }

    @Test func anAgentCannotAcceptDeposits() async throws {
        let id = try await node.entries.deposit(.login(), as: agent)
        await #expect(throws: VaultError.ownerOnly) { try await node.entries.accept(id, as: agent) }
        await #expect(throws: VaultError.ownerOnly) { try await node.entries.reject(id, as: agent) }
    }

    @Test func anAgentThatOnlyDepositsNeedsNoGrants() async throws {
        let mailbox = try await node.principal(
            try await node.agent(grants: [], policy: AgentPolicy(verbs: [.deposit]), as: owner))
        _ = try await node.entries.deposit(.login("Key"), as: mailbox)
        let deposits = try await node.entries.list(.deposit, limit: 5, as: owner).entries
        #expect(deposits.map(\.title) == ["Key"])
    }
}
