import SQLite
import Storage
import TestSupport
import Testing
import Vault
import VaultFormat

/// A request without a grant takes the same number of SQLite steps as one for a missing item, so its time reveals nothing.
@Suite struct SameWorkTests {
    let node: TestVault
    let owner: Principal
    let agent: Principal
    let granted: EntryView
    let hidden: EntryView

    init() async throws {
        node = try TestVault()
        owner = try await node.owner()
        granted = try await node.entries.create(.login(), id: nil, as: owner)
        let value = String(repeating: "v", count: 60_000)
        hidden = try await node.entries.create(
            EntryEdit(title: "hidden", fields: (0..<60).map { .init(label: "\($0)", content: .value(value)) }),
            id: nil, as: owner)
        agent = try await node.principal(try await node.agent(grants: [.entry(granted.id)], as: owner))
    }

    /// Sums over all readers: look-ups use the first free one, scans alternate.
    private func steps() async throws -> Int {
        let database = node.store.database
        let lookUps = try database.lookUp { $0.machineSteps }
        let scans = [try await database.read { $0.machineSteps }, try await database.read { $0.machineSteps }]
        return lookUps + scans.reduce(0, +)
    }

    private func cost(_ work: () async throws -> Void) async throws -> Int {
        // Twice before it counts, so that both readers have prepared their statements.
        for _ in 0..<4 { _ = await thrown { try await work() } }
        let before = try await steps()
        for _ in 0..<4 { _ = await thrown { try await work() } }
        return try await steps() - before
    }

    @Test func ofAnEntry() async throws {
        let forbidden = try await cost { _ = try await node.entries.view(hidden.id, as: agent) }
        let absent = try await cost { _ = try await node.entries.view(.random(), as: agent) }
        let allowed = try await cost { _ = try await node.entries.view(granted.id, as: agent) }
        #expect(forbidden == absent)
        #expect(allowed > forbidden, "or the test measures nothing")
    }

    @Test func ofAField() async throws {
        let field = hidden.fields[0].id
        let forbidden = try await cost { _ = try await node.entries.read(field, of: hidden.id, as: agent) }
        let absent = try await cost { _ = try await node.entries.read(.random(), of: .random(), as: agent) }
        let absentField = try await cost { _ = try await node.entries.read(.random(), of: granted.id, as: agent) }
        #expect(forbidden == absent)
        #expect(absentField == absent)
    }

    @Test func ofACode() async throws {
        let forbidden = try await cost {
            _ = try await node.entries.code(hidden.fields[0].id, of: hidden.id, as: agent)
        }
        let absent = try await cost { _ = try await node.entries.code(.random(), of: .random(), as: agent) }
        #expect(forbidden == absent)
    }

    @Test func ofAWrite() async throws {
        let writer = try await node.principal(
            try await node.agent(
                "w", grants: [.entry(granted.id)], policy: AgentPolicy(verbs: [.write]), as: owner))
        let edit = EntryEdit.value("x", of: hidden.fields[0].id)
        let forbidden = try await cost { _ = try await node.entries.update(hidden.id, ifVersion: 1, edit, as: writer) }
        let absent = try await cost { _ = try await node.entries.update(.random(), ifVersion: 1, edit, as: writer) }
        #expect(forbidden == absent)
    }
}
