import Crypto
import SQLite
import Storage
import TestSupport
import Testing
import Vault
import VaultFormat

/// Value and label of a field are parts with keys and versions of their own.
@Suite struct FieldPartTests {
    let node: TestVault
    let owner: Principal
    let entry: EntryView
    let field: FieldID

    init() async throws {
        node = try TestVault()
        owner = try await node.owner()
        entry = try await node.entries.create(.login(tags: ["work"]), id: nil, as: owner)
        field = entry.field("password")
    }

    private func agent(_ verbs: Set<AgentVerb>) async throws -> TestAgent {
        try await node.agent(grants: [.tag("work")], policy: AgentPolicy(verbs: verbs), as: owner)
    }

    /// The parts of the field for which the file has a wrap of the agent's, in order.
    private func held(by agent: TestAgent) throws -> [FieldPart] {
        try node.file().all(
            "SELECT part FROM wrap WHERE holder = ? AND field = ? ORDER BY part", .blob(agent.holder.id.bytes),
            .blob(field.bytes)
        ) { FieldPart(rawValue: UInt8($0.int(0))) }.compactMap { $0 }
    }

    @Test(
        arguments: [
            ([.read], [.value, .about]), ([.totp], [.value, .about]), ([.write], [.about]),
            ([.write, .deposit], [.about]),
            ([.read, .write], [.value, .about]),
        ] as [(Set<AgentVerb>, [FieldPart])])
    func onlyWhoMayOpenValuesGetsTheirKeys(_ verbs: Set<AgentVerb>, _ parts: [FieldPart]) async throws {
        let robot = try await agent(verbs)
        #expect(try held(by: robot) == parts)
        // The same when keys are sealed to it by an edit, and by another agent's write.
        _ = try await node.entries.update(entry.id, ifVersion: 1, .value("second", of: field), as: owner)
        #expect(try held(by: robot) == parts)
        let writer = try await node.principal(try await agent([.write]))
        _ = try await node.entries.update(entry.id, ifVersion: 2, .value("third", of: field), as: writer)
        #expect(try held(by: robot) == parts)
        #expect(try await node.verification().findings == [])
    }

    @Test func anAgentThatMayOnlyWriteKnowsTheLabelAndKeepsNoKey() async throws {
        let robot = try await agent([.write])
        let writer = try await node.principal(robot)
        let view = try await node.entries.view(entry.id, as: writer)
        #expect(view.fields.map(\.label) == ["password", "username"])
        #expect(view.fields.map(\.version) == [1, 1])
        let changed = try await node.entries.update(entry.id, ifVersion: 1, .value("new", of: field), as: writer)
        #expect(changed.version == 2)
        #expect(try held(by: robot) == [.about])
        #expect(try await node.value(field, of: entry.id, as: owner) == "new")
        await #expect(throws: VaultError.verbMissing(.read)) {
            try await node.value(field, of: entry.id, as: writer)
        }
        let event = try await node.events(as: owner).first { $0.action == .entryUpdate }
        #expect(event?.changed == [field.text] && event?.readers == [field.text: []])
    }

    /// The verbs decide over keys, so a change of the verbs moves keys.
    @Test func aChangeOfVerbsGrantsAndRevokesKeys() async throws {
        let robot = try await agent([.write])
        func set(_ verbs: Set<AgentVerb>) async throws {
            _ = try await node.agents.update(
                robot.id, name: nil, grants: nil, policy: { $0.verbs = verbs }, isPaused: nil, as: owner)
        }
        try await set([.read, .write])
        #expect(try held(by: robot) == [.value, .about])
        #expect(try await node.value(field, of: entry.id, as: try await node.principal(robot)) == "hunter2")
        try await set([.write])
        #expect(try held(by: robot) == [.about])
        #expect(try await node.verification().findings == [])
    }

    @Test func aNewLabelDoesNotRewriteTheValue() async throws {
        let robot = try await agent([.read])
        let changed = try await node.entries.update(
            entry.id, ifVersion: 1, EntryEdit(fields: [.init(id: field, label: "PIN", kind: .number)]), as: owner)
        let read = try await node.entries.read(field, of: entry.id, as: try await node.principal(robot))
        #expect(read.field.label == "PIN" && read.field.kind == .number && read.field.version == 1)
        #expect(read.content == .value("hunter2"))
        #expect(changed.fields.first { $0.id == field }?.version == 1)
        #expect(try node.count("SELECT count(*) FROM value WHERE tier = 1") == 2)
        let old = try await node.entries.read(field, of: entry.id, at: 1, as: owner)
        #expect(old.field.label == "password")
        let versions = try await node.entries.versions(of: entry.id, as: owner)
        #expect(versions.map(\.fields) == [[field], entry.fields.map(\.id).sorted()])
    }

    /// The first read after an edit makes both keys symmetric: a sealed one costs a decapsulation each time.
    @Test func theFirstReadUpgradesBothKeys() async throws {
        let robot = try await agent([.read])
        _ = try await node.entries.update(
            entry.id, ifVersion: 1,
            EntryEdit(fields: [.init(id: field, label: "PIN", content: .value("1234"))]), as: owner)
        func sealed() throws -> Int {
            try node.file().first(
                "SELECT count(*) FROM wrap WHERE holder = ? AND field = ? AND is_sealed = 1",
                .blob(robot.holder.id.bytes), .blob(field.bytes)
            ) { $0.int(0) } ?? -1
        }
        #expect(try sealed() == 2)
        _ = try await node.value(field, of: entry.id, as: try await node.principal(robot))
        #expect(try sealed() == 0)
    }

    /// The label of a field that moves to L2 is in the details alone; on the way back it gets its part again.
    @Test func aFieldInL2HasNoSuchPart() async throws {
        let robot = try await agent([.read])
        var writer = L2Writer(Person(), entry: entry.id)
        let hidden = writer.field(field, label: nil)
        _ = try await node.entries.update(
            entry.id, ifVersion: 1, EntryEdit(fields: [hidden], l2: writer.write), as: owner)
        #expect(try held(by: robot) == [])
        let l2 = try await node.entries.read(field, of: entry.id, at: 2, as: owner)
        #expect(l2.field.label == "password" && l2.field.kind == .secret)
        #expect(try await node.entries.view(entry.id, as: try await node.principal(robot)).fields.count == 1)
        writer.key.fields = [:]
        _ = try await node.entries.update(
            entry.id, ifVersion: 2,
            EntryEdit(fields: [.init(id: field, tier: .l1, content: .value("back"))], l2: writer.write), as: owner)
        #expect(try held(by: robot) == [.value, .about])
        #expect(try await node.value(field, of: entry.id, as: try await node.principal(robot)) == "back")
        #expect(try await node.verification().findings == [])
    }

    /// Neither part opens in the other's place.
    @Test func partsAreBoundToTheirPlaces() async throws {
        try node.file().script(
            """
            UPDATE value SET box = (SELECT o.box FROM value o WHERE o.field = value.field AND o.part = 1 - value.part)
                WHERE field = x'\(field.bytes.hex)'
            """)
        let error = await thrown { try await node.value(field, of: entry.id, as: owner) }
        #expect(isDamage(error))
    }
}
