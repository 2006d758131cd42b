import Auth
import SQLite
import Storage
import TestSupport
import Testing
import Vault
import VaultFormat

/// No value is returned before its audit line is durable, and a change and its line are one transaction.
@Suite struct AuditFaultTests {
    let node: TestVault
    let owner: Principal
    let entry: EntryView
    let agent: Principal

    init() async throws {
        node = try TestVault()
        owner = try await node.owner()
        entry = try await node.entries.create(.login(tags: ["work"]), id: nil, as: owner)
        agent = try await node.principal(
            try await node.agent(
                grants: [.tag("work")], policy: AgentPolicy(verbs: [.read, .write, .deposit], maxUses: 100), as: owner))
    }

    private func breakAudit() async throws {
        try await node.sabotage(
            "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT abs(-9223372036854775808); END")
    }

    struct Case: CustomTestStringConvertible {
        var testDescription: String
        var run: @Sendable (AuditFaultTests) async throws -> Void
    }

    @Test(arguments: [
        Case(testDescription: "read") {
            _ = try await $0.node.value($0.entry.field("password"), of: $0.entry.id, as: $0.owner)
        },
        Case(testDescription: "read by an agent") {
            _ = try await $0.node.value($0.entry.field("password"), of: $0.entry.id, as: $0.agent)
        },
        Case(testDescription: "read an old version") {
            _ = try await $0.node.entries.read($0.entry.field("password"), of: $0.entry.id, at: 1, as: $0.owner)
        },
        Case(testDescription: "create") { _ = try await $0.node.entries.create(.login(), id: nil, as: $0.owner) },
        Case(testDescription: "update") {
            _ = try await $0.node.entries.update(
                $0.entry.id, ifVersion: 1, EntryEdit(title: "x", tags: []), as: $0.owner)
        },
        Case(testDescription: "update by an agent") {
            _ = try await $0.node.entries.update(
                $0.entry.id, ifVersion: 1, .value("x", of: $0.entry.field("password")), as: $0.agent)
        },
        Case(testDescription: "trash") { try await $0.node.entries.trash($0.entry.id, ifVersion: 1, as: $0.owner) },
        Case(testDescription: "deposit") { _ = try await $0.node.entries.deposit(.login(), as: $0.agent) },
        Case(testDescription: "create an agent") {
            _ = try await $0.node.agent("second", grants: [.tag("work")], as: $0.owner)
        },
        Case(testDescription: "rename an agent") {
            _ = try await $0.node.agents.update(
                $0.agent.id, name: "x", grants: [], policy: { $0 = AgentPolicy(verbs: [.deposit]) },
                isPaused: true,
                as: $0.owner)
        },
        Case(testDescription: "revoke an agent") { try await $0.node.agents.revoke($0.agent.id, as: $0.owner) },
        Case(testDescription: "log in") { _ = try await $0.node.login(Person()) },
        Case(testDescription: "sign out") { try await $0.node.accounts.end(nil, as: $0.owner) },
        Case(testDescription: "set a kit") {
            try await $0.node.accounts.setRecovery(
                Person(kit: Token(.recoveryKit)).recovery, proof: Person().proof(), as: $0.owner)
        },
        Case(testDescription: "add a passkey") {
            _ = try await $0.node.addPasskey(proof: Person().proof(), as: $0.owner)
        },
        Case(testDescription: "delete the account") { try await $0.node.accounts.delete(as: $0.owner) },
        Case(testDescription: "register") { try await $0.node.register(Person("bob@example.org")) },
    ])
    func withoutItsAuditLineNothingHappens(_ example: Case) async throws {
        let before = try contents()
        try await breakAudit()
        let error = await thrown { try await example.run(self) }
        let after = try contents()
        #expect(error is SQLiteError)
        #expect(before == after)
    }

    /// Counts and sums that detect any change.
    private func contents() throws -> [Int] {
        [
            try node.count("SELECT count(*) FROM audit"), try node.count("SELECT sequence FROM audit_head"),
            try node.count("SELECT count(*) FROM account"), try node.count("SELECT count(*) FROM holder"),
            try node.count("SELECT count(*) FROM credential"), try node.count("SELECT count(*) FROM entry"),
            try node.count("SELECT sum(version * 10 + state) FROM entry"), try node.count("SELECT count(*) FROM value"),
            try node.count("SELECT sum(is_current) FROM value"), try node.count("SELECT count(*) FROM wrap"),
            try node.count("SELECT sum(is_sealed) FROM wrap"), try node.count("SELECT count(*) FROM term"),
            try node.count("SELECT sum(uses * 1000 + state * 100 + record_version) FROM agent"),
        ]
    }

    @Test func afterwardsTheChainContinues() async throws {
        try await breakAudit()
        for _ in 0..<3 { _ = await thrown { try await node.value(entry.field("password"), of: entry.id, as: owner) } }
        try await node.sabotage("DROP TRIGGER full")
        _ = try await node.value(entry.field("password"), of: entry.id, as: owner)
        let report = try await node.verification()
        #expect(report.findings == [])
        #expect(report.head == node.store.journal.head)
    }

    @Test func aFailureOfOneVaultsLineDoesNotUndoAnotherVaults() async throws {
        let bob = try await node.owner(Person("bob@example.org"))
        let his = try await node.entries.create(.login(), id: nil, as: bob)
        try await node.sabotage(
            """
            CREATE TRIGGER some BEFORE INSERT ON audit WHEN NEW.vault = x'\(bob.vault.bytes.hex)'
            BEGIN SELECT abs(-9223372036854775808); END
            """)
        let outcomes = await withTaskGroup(of: (Bool, Bool).self) { group in
            for number in 0..<60 {
                group.addTask {
                    let isBobs = number.isMultiple(of: 3)
                    let error = await thrown {
                        isBobs
                            ? try await node.value(his.field("password"), of: his.id, as: bob)
                            : try await node.value(entry.field("password"), of: entry.id, as: owner)
                    }
                    return (isBobs, error == nil)
                }
            }
            return await group.reduce(into: [(Bool, Bool)]()) { $0.append($1) }
        }
        try await node.sabotage("DROP TRIGGER some")
        let report = try await node.verification()
        #expect(outcomes.allSatisfy { $0 != $1 })
        #expect(report.findings == [])
    }

    @Test func onAFullDiskNothingIsReadAndTheNodeReportsIt() async throws {
        // Fill the last page, then allow no further page.
        try await node.sabotage("PRAGMA max_page_count = 1")
        var error: (any Error)?
        for _ in 0..<500 where error == nil {
            error = await thrown { try await node.value(entry.field("password"), of: entry.id, as: owner) }
        }
        #expect(error as? VaultError == .readOnly("disk-full"))
        #expect(node.health.mode == .readOnly(.diskFull))
        try await node.sabotage("PRAGMA max_page_count = 1000000")
        node.health.diskHasRoom()
        let value = try await node.value(entry.field("password"), of: entry.id, as: owner)
        let report = try await node.verification()
        #expect(value == "hunter2")
        #expect(report.findings == [])
    }

    @Test func aFullDiskMetWithinABatchIsNotedToo() async throws {
        try await node.sabotage("PRAGMA max_page_count = 1")
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<400 {
                group.addTask {
                    _ = await thrown { try await node.value(entry.field("password"), of: entry.id, as: owner) }
                }
            }
        }
        #expect(node.health.mode == .readOnly(.diskFull))
    }

    @Test func concurrentReadsAreAllLoggedInAnUnbrokenChain() async throws {
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<200 {
                group.addTask { _ = try? await node.value(entry.field("password"), of: entry.id, as: owner) }
            }
        }
        let reads = try await node.events(as: owner).count { $0.action == .valueRead }
        let report = try await node.verification()
        #expect(reads == 200)
        #expect(report.findings == [])
    }
}
