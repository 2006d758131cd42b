import SQLite
import Storage
import TestSupport
import Testing
import Vault
import VaultFormat

/// Keys beyond the limit of one change are sealed in parts: 20 agents of 60 fields.
@Suite(.timeLimit(.minutes(5))) struct SharingTests {
    let node: TestVault
    let owner: Principal
    private var robots: [TestAgent] = []

    init() async throws {
        node = try TestVault()
        owner = try await node.owner()
        for _ in 0..<20 { robots.append(try await node.agent(grants: [.tag("t")], as: owner)) }
    }

    private func entry(tags: [String]) async throws -> EntryView {
        let fields = (0..<60).map { EntryEdit.Field(label: "\($0)", kind: .text, content: .value("value \($0)")) }
        return try await node.entries.create(EntryEdit(title: "many", tags: tags, fields: fields), id: nil, as: owner)
    }

    /// Reads the first and the last field as each agent.
    private func expectReaders(of entry: EntryView) async throws {
        for robot in robots {
            let principal = try await node.principal(robot)
            #expect(try await node.value(entry.fields[0].id, of: entry.id, as: principal) == "value 0")
            #expect(try await node.value(entry.fields[59].id, of: entry.id, as: principal) == "value 59")
            #expect(try await node.store.places(of: robot.id, in: owner.vault).count == 121)
        }
        #expect(try await node.verification().findings == [])
    }

    @Test func aNewEntryIsSharedWithAllAgents() async throws {
        try await expectReaders(of: try await entry(tags: ["t"]))
    }

    @Test func aNewTagIsSharedWithAllAgents() async throws {
        let entry = try await entry(tags: [])
        _ = try await node.entries.update(entry.id, ifVersion: 1, EntryEdit(tags: ["t"]), as: owner)
        try await expectReaders(of: entry)
    }

    @Test func anUntrashedEntryIsSharedWithAllAgents() async throws {
        let entry = try await entry(tags: ["t"])
        try await node.entries.trash(entry.id, ifVersion: nil, as: owner)
        for robot in robots { #expect(try await node.store.places(of: robot.id, in: owner.vault).isEmpty) }
        _ = try await node.entries.untrash(entry.id, as: owner)
        try await expectReaders(of: entry)
    }

    /// As a crash after the first commit leaves file and log: the change of these fields has shared nothing.
    private func leaveUnshared(_ fields: [EntryView.FieldView], of entry: EntryView) async throws {
        var line = AuditEvent(.entryUpdate, by: .init(.owner, owner.id), entry: entry.id, version: 1)
        line.readers = Dictionary(uniqueKeysWithValues: fields.map { ($0.id.text, []) })
        try await node.store.commit(
            fields.map { .dropAgentWraps(entry.id, PartID($0.id), owner: owner.holder.id, vault: owner.vault) },
            [try node.audit.seal(line, vault: owner.vault)])
        #expect(try await node.verification().findings == [])
    }

    /// Keys that a stop of the program left out are sealed with the next change.
    @Test func missingKeysAreSealedWithTheNextEdit() async throws {
        let entry = try await entry(tags: ["t"])
        try await leaveUnshared(Array(entry.fields.prefix(30)), of: entry)
        _ = try await node.entries.update(entry.id, ifVersion: 1, EntryEdit(notes: "n"), as: owner)
        try await expectReaders(of: entry)
    }

    /// A resumed agent gets the missing keys, and the log lists them.
    @Test(arguments: [0, 1]) func whatIsMissingComesWhenAnAgentIsLetWorkAgain(_ number: Int) async throws {
        let entry = try await entry(tags: ["t"])
        try await leaveUnshared(Array(entry.fields.suffix(9)), of: entry)
        let robot = robots[number].id
        for isPaused in [true, false] {
            _ = try await node.agents.update(
                robot, name: nil, grants: nil, policy: nil, isPaused: isPaused, as: owner)
        }
        #expect(try await node.store.places(of: robot, in: owner.vault).count == 121)
        #expect(try await node.verification().findings == [])
    }

    @Test func nothingIsWrittenWithoutQuotaForAllKeys() async throws {
        let small = try await node.entries.create(.login(tags: ["t"]), id: nil, as: owner)
        let key = try node.count("SELECT MAX(length(box)) FROM wrap WHERE is_sealed = 1") + RowSize.wrap
        _ = try await node.entries.trash(small.id, ifVersion: nil, as: owner)
        let entry = try await entry(tags: [])
        var options = TestVault.Options()
        // Enough for the 1,020 keys of the change itself, and not for the 2,420 that there are in all.
        options.quotas[.bytes] = try await node.store.usage(of: owner.vault)[.bytes] + 1_100 * key
        let full = try TestVault(opening: node.scratch, root: node.root, moments: node.moments, options)
        await #expect(throws: VaultError.quotaExceeded(.bytes, options.quotas[.bytes])) {
            try await full.entries.update(entry.id, ifVersion: 1, EntryEdit(tags: ["t"]), as: owner)
        }
        #expect(try await node.entries.view(entry.id, as: owner).version == 1)
        for robot in robots { #expect(try await node.store.places(of: robot.id, in: owner.vault).isEmpty) }
        #expect(try await node.verification().findings == [])
    }
}
