import SQLite
import TestSupport
import Testing
import Vault
import VaultFormat

@Suite struct TrashTests {
    let node: TestVault
    let owner: Principal
    let entry: EntryView

    init() async throws {
        node = try TestVault()
        owner = try await node.owner()
        entry = try await node.entries.create(.login(tags: ["work"]), id: nil, as: owner)
    }

    private func agent(_ grants: [Grant]) async throws -> Principal {
        try await node.principal(try await node.agent(grants: grants, as: owner))
    }

    @Test func aTrashedEntryIsInTheTrashOnly() async throws {
        try await node.entries.trash(entry.id, ifVersion: 1, as: owner)
        let active = try await node.entries.list(limit: 5, as: owner).entries
        let found = try await node.entries.search(.init(tag: "work"), limit: 5, as: owner).entries
        let trash = try await node.entries.list(.trashed, limit: 5, as: owner).entries
        #expect(active.isEmpty && found.isEmpty)
        #expect(trash.map(\.id) == [entry.id])
        #expect(trash.first?.deleted == node.moments.now)
    }

    @Test func agentsCannotOpenTrashedEntries() async throws {
        let agent = try await agent([.entry(entry.id), .tag("work")])
        try await node.entries.trash(entry.id, ifVersion: 1, as: owner)
        let wraps = try node.file().all("SELECT holder FROM wrap WHERE entry = ?", .blob(entry.id.bytes)) { $0.blob(0) }
        let errors = [
            await thrown { try await node.value(entry.field("password"), of: entry.id, as: agent) },
            await thrown { try await node.entries.view(entry.id, as: agent) },
        ]
        let listed = try await node.entries.list(limit: 5, as: agent).entries
        #expect(wraps.allSatisfy { $0 == owner.holder.id.bytes })
        #expect(errors.map { $0 as? VaultError } == [.noSuchField, .noSuchEntry])
        #expect(listed.isEmpty)
    }

    @Test func agentsCannotListTheTrash() async throws {
        let agent = try await agent([.tag("work")])
        await #expect(throws: VaultError.ownerOnly) { try await node.entries.list(.trashed, limit: 5, as: agent) }
        await #expect(throws: VaultError.ownerOnly) { try await node.entries.trash(entry.id, ifVersion: 1, as: agent) }
    }

    @Test func untrashingRestoresAgentsAccess() async throws {
        let agent = try await agent([.tag("work")])
        try await node.entries.trash(entry.id, ifVersion: 1, as: owner)
        let back = try await node.entries.untrash(entry.id, as: owner)
        let value = try await node.value(entry.field("password"), of: entry.id, as: agent)
        let found = try await node.entries.search(.init(tag: "work"), limit: 5, as: owner).entries.count
        #expect(back.version == 1 && back.state == .active && back.deleted == nil)
        #expect(value == "hunter2")
        #expect(found == 1)
    }

    @Test func untrashingGivesNothingToAnAgentRevokedMeanwhile() async throws {
        let robot = try await node.agent(grants: [.tag("work")], as: owner)
        try await node.entries.trash(entry.id, ifVersion: 1, as: owner)
        try await node.agents.revoke(robot.id, as: owner)
        _ = try await node.entries.untrash(entry.id, as: owner)
        let wraps = try node.file().all("SELECT DISTINCT holder FROM wrap") { $0.blob(0) }
        #expect(wraps == [owner.holder.id.bytes])
    }

    struct Case: CustomTestStringConvertible {
        var testDescription: String
        var run: @Sendable (TrashTests) async throws -> Void
    }

    @Test(arguments: [
        Case(testDescription: "update") {
            _ = try await $0.node.entries.update($0.entry.id, ifVersion: 1, EntryEdit(title: "x"), as: $0.owner)
        },
        Case(testDescription: "restore") {
            _ = try await $0.node.entries.restore($0.entry.id, to: 1, ifVersion: 1, envelopes: [:], as: $0.owner)
        },
        Case(testDescription: "trash again") {
            try await $0.node.entries.trash($0.entry.id, ifVersion: nil, as: $0.owner)
        },
    ])
    func aTrashedEntryCannotBeChanged(_ example: Case) async throws {
        try await node.entries.trash(entry.id, ifVersion: 1, as: owner)
        let error = await thrown { try await example.run(self) }
        #expect(error as? VaultError == .noSuchEntry)
    }

    @Test func aStaleTrashChangesNothing() async throws {
        _ = try await node.entries.update(entry.id, ifVersion: 1, EntryEdit(title: "b"), as: owner)
        await #expect(throws: VaultError.changedSince(version: 2)) {
            try await node.entries.trash(entry.id, ifVersion: 1, as: owner)
        }
    }

    @Test func onlyTrashedEntriesArePurged() async throws {
        await #expect(throws: VaultError.noSuchEntry) { try await node.entries.purge(entry.id, as: owner) }
        await #expect(throws: VaultError.noSuchEntry) { try await node.entries.untrash(entry.id, as: owner) }
    }

    @Test func aPurgedEntryIsDeletedFromEveryTableAndTheFilesBytes() async throws {
        _ = try await node.entries.update(entry.id, ifVersion: 1, .value("b", of: entry.field("password")), as: owner)
        let boxes = try node.file().all("SELECT box FROM value WHERE entry = ?", .blob(entry.id.bytes)) { $0.blob(0) }
        try await node.entries.trash(entry.id, ifVersion: 2, as: owner)
        try await node.entries.purge(entry.id, as: owner)
        let id = Value.blob(entry.id.bytes)
        let left = try node.file().first(
            """
            SELECT (SELECT count(*) FROM entry WHERE id = ?1) + (SELECT count(*) FROM value WHERE entry = ?1)
                + (SELECT count(*) FROM wrap WHERE entry = ?1) + (SELECT count(*) FROM term WHERE entry = ?1)
            """, id
        ) { $0.int(0) }
        let bytes = try node.scratch.everything(beginning: TestVault.name)
        #expect(left == 0)
        #expect(boxes.count == 7)
        #expect(boxes.allSatisfy { !bytes.holds($0) })
    }

    @Test func everyStepIsLogged() async throws {
        try await node.entries.trash(entry.id, ifVersion: 1, as: owner)
        _ = try await node.entries.untrash(entry.id, as: owner)
        try await node.entries.trash(entry.id, ifVersion: 1, as: owner)
        try await node.entries.purge(entry.id, as: owner)
        let actions = try await node.events(as: owner).prefix(4).map(\.action)
        #expect(actions == [.entryPurge, .entryTrash, .entryUntrash, .entryTrash])
    }
}
