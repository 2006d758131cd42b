import Auth
import SQLite
import TestSupport
import Testing
import Vault
import VaultFormat

/// Authenticated requests whose key holder is deleted while they wait: another client changed the password, or the owner revoked
/// the agent. They must fail, change nothing, and not be reported as damage, which would stop the node.
@Suite struct StalePrincipalTests {
    let node: TestVault
    let ada = Person("ada@example.org")
    let stale: Principal
    let entry: EntryView
    let trashed: EntryView
    let agent: Principal
    let robot: TestAgent

    init() async throws {
        node = try TestVault()
        stale = try await node.owner(ada)
        entry = try await node.entries.create(.login(tags: ["work"]), id: nil, as: stale)
        trashed = try await node.entries.create(.login("Old"), id: nil, as: stale)
        try await node.entries.trash(trashed.id, ifVersion: nil, as: stale)
        robot = try await node.agent(
            grants: [.tag("work")], policy: AgentPolicy(verbs: [.read, .write, .deposit]), as: stale)
        agent = try await node.principal(robot)
    }

    private func change() async throws -> Principal {
        try await node.principal(try await node.changePassword(ada, to: ada, as: stale).session.token)
    }

    struct Case: CustomTestStringConvertible {
        var testDescription: String
        var run: @Sendable (StalePrincipalTests) async throws -> Void
    }

    @Test(arguments: [
        Case(testDescription: "change the password again") {
            _ = try await $0.node.changePassword($0.ada, to: $0.ada, as: $0.stale)
        },
        Case(testDescription: "sign out everywhere") {
            _ = try await $0.node.signOutEverywhere($0.ada, as: $0.stale)
        },
        Case(testDescription: "set a kit") {
            try await $0.node.accounts.setRecovery(
                Person(kit: Token(.recoveryKit)).recovery, proof: $0.ada.proof(), as: $0.stale)
        },
        Case(testDescription: "begin a second factor") {
            _ = try await $0.node.accounts.beginSecondFactor(as: $0.stale)
        },
        Case(testDescription: "rekey L2") {
            try await $0.node.beginRekey($0.ada, to: $0.ada.nextL2Key(), as: $0.stale)
        },
        Case(testDescription: "delete the account") { try await $0.node.accounts.delete(as: $0.stale) },
        Case(testDescription: "create an entry") {
            _ = try await $0.node.entries.create(.login(), id: nil, as: $0.stale)
        },
        Case(testDescription: "update an entry") {
            _ = try await $0.node.entries.update($0.entry.id, ifVersion: 1, EntryEdit(title: "x"), as: $0.stale)
        },
        Case(testDescription: "trash an entry") {
            try await $0.node.entries.trash($0.entry.id, ifVersion: nil, as: $0.stale)
        },
        Case(testDescription: "untrash an entry") {
            _ = try await $0.node.entries.untrash($0.trashed.id, as: $0.stale)
        },
        Case(testDescription: "purge an entry") { try await $0.node.entries.purge($0.trashed.id, as: $0.stale) },
        Case(testDescription: "create an agent") { _ = try await $0.node.agent(grants: [.tag("x")], as: $0.stale) },
        Case(testDescription: "pause an agent") {
            _ = try await $0.node.agents.update(
                $0.robot.id, name: nil, grants: nil, policy: nil, isPaused: true, as: $0.stale)
        },
        Case(testDescription: "rotate an agent") { _ = try await $0.node.rotate($0.robot, as: $0.stale) },
        Case(testDescription: "revoke an agent") { try await $0.node.agents.revoke($0.robot.id, as: $0.stale) },
    ])
    func afterAChangeOfPasswordTheOldOwnerChangesNothing(_ example: Case) async throws {
        let owner = try await change()
        let before = try node.count("SELECT count(*) FROM wrap")
        let error = await thrown { try await example.run(self) }
        let after = try node.count("SELECT count(*) FROM wrap")
        let value = try await node.value(entry.field("password"), of: entry.id, as: owner)
        let back = try await node.entries.untrash(trashed.id, as: owner)
        let old = try await node.value(back.field("password"), of: back.id, as: owner)
        let byAgent = try await node.value(entry.field("password"), of: entry.id, as: agent)
        let login = await thrown { try await node.login(ada) }
        #expect(error as? VaultError == .principalGone)
        #expect(after == before)
        #expect([value, old, byAgent] == ["hunter2", "hunter2", "hunter2"])
        #expect(login == nil)
    }

    @Test(.timeLimit(.minutes(15))) func ofConcurrentChangesOfPasswordOneSucceedsAndNothingIsLost() async throws {
        let tokens = await withTaskGroup(of: Token?.self) { group in
            for number in 0..<4 {
                group.addTask {
                    var changed = ada
                    changed.password = "number \(number)"
                    return try? await node.changePassword(ada, to: changed, as: stale).session.token
                }
            }
            return await group.reduce(into: [Token]()) { all, token in if let token { all.append(token) } }
        }
        try #require(tokens.count == 1)
        let owner = try await node.principal(tokens[0])
        let value = try await node.value(entry.field("password"), of: entry.id, as: owner)
        let passwords = try node.count("SELECT count(*) FROM credential WHERE kind = 'password'")
        #expect(value == "hunter2")
        #expect(passwords == 1)
    }

    @Test func aReadByTheOldKeyHolderFailsAndIsNotDamage() async throws {
        _ = try await change()
        let errors = [
            await thrown { try await node.value(entry.field("password"), of: entry.id, as: stale) },
            await thrown { try await node.entries.view(entry.id, as: stale) },
            await thrown { try await node.entries.search(.init(tag: "work"), limit: 5, as: stale) },
            await thrown { try await node.agents.list(as: stale) },
        ]
        #expect(errors.allSatisfy { $0 != nil && !isDamage($0) }, "\(errors)")
    }

    @Test func aRevokedAgentsWriteAndDepositFail() async throws {
        try await node.agents.revoke(robot.id, as: stale)
        let errors = [
            await thrown {
                try await node.entries.update(
                    entry.id, ifVersion: 1, .value("x", of: entry.field("password")), as: agent)
            },
            await thrown { try await node.entries.deposit(.login(), as: agent) },
        ]
        let deposits = try node.count("SELECT count(*) FROM entry WHERE state = 2")
        #expect(errors.allSatisfy { $0 as? VaultError == .principalGone })
        #expect(deposits == 0)
    }

    @Test func aDepositForADeletedAccountIsNotDamage() async throws {
        try await node.accounts.delete(as: stale)
        let error = await thrown { try await node.entries.deposit(.login(), as: agent) }
        #expect(error as? VaultError == .principalGone)
    }

    @Test func theIDOfADeletedVaultIsNotReused() async throws {
        // Its encrypted audit lines stay: with a new key for the old id they would look like damage.
        try await node.accounts.delete(as: stale)
        await #expect(throws: AuthError.self) { try await node.register(ada) }
        var again = Person("ada@example.org")
        again.vault = .random()
        let owner = try await node.owner(again)
        let events = try await node.events(as: owner)
        #expect(events.count == 2)
    }
}
