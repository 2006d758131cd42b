import Auth
import SQLite
import TestSupport
import Testing
import Vault
import VaultFormat

/// Changes of the owner's key holder by a new password, a kit or signing out everywhere.
@Suite struct OwnerChangeTests {
    let node: TestVault
    let ada = Person("ada@example.org", kit: Token(.recoveryKit))
    let changed: Person

    init() throws {
        node = try TestVault()
        var changed = ada
        changed.password = "another password"
        changed.kit = Token(.recoveryKit)
        self.changed = changed
    }

    func change(as owner: Principal) async throws -> Principal {
        try await node.principal(try await node.changePassword(ada, to: changed, as: owner).session.token)
    }

    @Test func onlyTheNewPasswordOpensTheVault() async throws {
        _ = try await change(as: try await node.owner(ada))
        let old = await thrown { try await node.login(ada) }
        let new = await thrown { try await node.login(changed) }
        #expect(old as? AuthError == .badCredentials)
        #expect(new == nil)
    }

    @Test func everyEarlierSessionEnds() async throws {
        try await node.register(ada)
        let elsewhere = try await node.login(ada).token
        let here = try await node.login(ada).token
        _ = try await change(as: try await node.principal(here))
        let errors = [
            await thrown { try await node.principal(here) }, await thrown { try await node.principal(elsewhere) },
        ]
        #expect(errors.allSatisfy { $0 as? AuthError == .badToken })
    }

    @Test func theOldKitEndsAndTheNewOneOpens() async throws {
        _ = try await change(as: try await node.owner(ada))
        let old = await thrown { try await node.recover(ada, kit: ada.kit!) }
        let new = await thrown { try await node.recover(changed, kit: changed.kit!) }
        #expect(old as? AuthError == .badCredentials)
        #expect(new == nil)
    }

    @Test func theResponseListsSessionsAndAgents() async throws {
        try await node.register(ada)
        _ = try await node.login(ada)
        let owner = try await node.principal(try await node.login(ada).token)
        let robot = try await node.agent(grants: [.tag("x")], as: owner)
        let paused = try await node.agent("paused", grants: [.tag("x")], as: owner)
        _ = try await node.agents.update(
            paused.id, name: nil, grants: nil, policy: nil, isPaused: true, as: owner)
        let change = try await node.changePassword(ada, to: changed, as: owner)
        #expect(change.endedSessions == 2)
        #expect(change.activeAgents == [robot.id])
        #expect(change.pausedAgents == [paused.id])
    }

    @Test func bothNewCredentialsAreLogged() async throws {
        let new = try await change(as: try await node.owner(ada))
        let events = try await node.events(as: new)
        #expect(events.prefix(2).map(\.action) == [.recoveryChange, .passwordChange])
    }

    @Test func withoutTheOldPasswordNothingChanges() async throws {
        let owner = try await node.owner(ada)
        let error = await thrown { try await node.changePassword(changed, to: changed, as: owner) }
        let login = await thrown { try await node.login(ada) }
        let event = try await node.events(as: try await node.principal(try await node.login(ada).token))
            .first { $0.action == .denied }
        #expect(error as? AuthError == .wrongProof)
        #expect(login == nil)
        #expect(event?.outcome == .failed && event?.reason == "proof")
    }

    @Test func theKitIsAlsoAProof() async throws {
        let owner = try await node.owner(ada)
        let proof = Accounts.Proof(kind: .recovery, secret: Person.kitKey(ada.kit!), code: nil)
        _ = try await node.accounts.changePassword(
            changed.secrets, .init(recovery: changed.newRecovery, keep: [], agents: nil), proof: proof, as: owner)
        let new = await thrown { try await node.login(changed) }
        #expect(new == nil)
    }

    @Test func theNewKeyHolderReadsEverythingIncludingHistory() async throws {
        let owner = try await node.owner(ada)
        let entry = try await node.entries.create(.login(tags: ["work"]), id: nil, as: owner)
        let field = entry.field("password")
        _ = try await node.entries.update(entry.id, ifVersion: 1, .value("second", of: field), as: owner)
        let trashed = try await node.entries.create(.login("Old"), id: nil, as: owner)
        try await node.entries.trash(trashed.id, ifVersion: nil, as: owner)
        let new = try await change(as: owner)
        let current = try await node.value(field, of: entry.id, as: new)
        let first = try await node.entries.read(field, of: entry.id, at: 1, as: new)
        let found = try await node.entries.search(.init(tag: "work"), limit: 10, as: new).entries.map(\.id)
        let inTrash = try await node.entries.list(.trashed, limit: 10, as: new).entries.map(\.title)
        #expect(current == "second")
        #expect(first.content == .value("hunter2"))
        #expect(found == [entry.id])
        #expect(inTrash == ["Old"])
    }

    @Test func moreThanOneBatchOfKeysIsRewrapped() async throws {
        let owner = try await node.owner(ada)
        for number in 0..<5 {
            let fields = (0..<110).map { EntryEdit.Field(label: "\($0)", content: .value("\(number)/\($0)")) }
            _ = try await node.entries.create(EntryEdit(title: "\(number)", fields: fields), id: nil, as: owner)
        }
        let new = try await change(as: owner)
        let views = try await node.entries.list(limit: 10, as: new).entries
        #expect(views.count == 5)
        for view in views {
            let value = try await node.value(view.field("109"), of: view.id, as: new)
            #expect(value == "\(view.title)/109")
        }
    }

    @Test func sealedWrapsAreRewrappedAndAgentsStayActive() async throws {
        let owner = try await node.owner(ada)
        let entry = try await node.entries.create(.login(), id: nil, as: owner)
        let field = entry.field("password")
        let robot = try await node.agent(
            grants: [.entry(entry.id)], policy: AgentPolicy(verbs: [.read, .write, .deposit]), as: owner)
        let agent = try await node.principal(robot)
        // A write and a deposit that the owner has not read: sealed to the old key holder only.
        _ = try await node.entries.update(entry.id, ifVersion: 1, .value("by the robot", of: field), as: agent)
        let deposit = try await node.entries.deposit(.login("Left here"), as: agent)
        let new = try await change(as: owner)
        let value = try await node.value(field, of: entry.id, as: new)
        let accepted = try await node.entries.accept(deposit, as: new)
        let left = try await node.value(accepted.field("password"), of: deposit, as: new)
        let byAgent = try await node.value(field, of: entry.id, as: try await node.principal(robot))
        #expect(value == "by the robot")
        #expect(left == "hunter2")
        #expect(byAgent == "by the robot")
    }

    @Test func anAgentWritesForTheNewOwner() async throws {
        let owner = try await node.owner(ada)
        let entry = try await node.entries.create(.login(), id: nil, as: owner)
        let robot = try await node.agent(
            grants: [.entry(entry.id)], policy: AgentPolicy(verbs: [.read, .write]), as: owner)
        let new = try await change(as: owner)
        let field = entry.field("password")
        let agent = try await node.principal(robot)
        _ = try await node.entries.update(entry.id, ifVersion: 1, .value("after", of: field), as: agent)
        let value = try await node.value(field, of: entry.id, as: new)
        let names = try await node.agents.list(as: new).items.map(\.name)
        #expect(value == "after")
        #expect(names == ["robot"])
    }

    @Test func theOldKeyHolderIsDeleted() async throws {
        let owner = try await node.owner(ada)
        _ = try await node.entries.create(.login(), id: nil, as: owner)
        let new = try await change(as: owner)
        let wraps = try node.file().all("SELECT DISTINCT holder FROM wrap") { $0.blob(0) }
        let holders = try node.file().all("SELECT id FROM holder") { $0.blob(0) }
        #expect(wraps == [new.holder.id.bytes])
        #expect(holders == [new.holder.id.bytes])
    }

    @Test func theChangeIsLoggedWithBothKeyHolders() async throws {
        let owner = try await node.owner(ada)
        let new = try await change(as: owner)
        let event = try await node.events(as: new).first { $0.action == .passwordChange }
        #expect(event?.subject == owner.vault.text)
        #expect(event?.holder == new.holder.id.text)
    }

    @Test func withoutItsAuditLineTheOldPasswordStays() async throws {
        let owner = try await node.owner(ada)
        let entry = try await node.entries.create(.login(), id: nil, as: owner)
        try await node.sabotage(
            "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT abs(-9223372036854775808); END")
        let error = await thrown { try await change(as: owner) }
        try await node.sabotage("DROP TRIGGER full")
        let again = try await node.principal(try await node.login(ada).token)
        let value = try await node.value(entry.field("password"), of: entry.id, as: again)
        #expect(error != nil)
        #expect(value == "hunter2")
    }

    @Test func guessingThePasswordWithAStolenSessionIsLimitedAndLogged() async throws {
        let owner = try await node.owner(ada)
        var refused = 0
        for _ in 0..<30 {
            let error = await thrown {
                try await node.signOutEverywhere(changed, as: owner)
            }
            if case .tooManyAttempts = error as? AuthError { refused += 1 }
        }
        let event = try await node.events(as: owner).first
        #expect(refused == 25)
        #expect(event?.outcome == .failed)
    }

    @Test func agentsCannotChangeTheOwner() async throws {
        let owner = try await node.owner(ada)
        let agent = try await node.principal(try await node.agent(grants: [.tag("x")], as: owner))
        let errors = [
            await thrown { try await node.changePassword(ada, to: changed, as: agent) },
            await thrown { try await node.signOutEverywhere(ada, as: agent) },
            await thrown { try await node.accounts.setRecovery(nil, proof: ada.proof(), as: agent) },
            await thrown { try await node.accounts.beginSecondFactor(as: agent) },
            await thrown { try await node.accounts.endSecondFactor(proof: ada.proof(), as: agent) },
            await thrown { try await node.accounts.confirmSecondFactor("0", proof: ada.proof(), as: agent) },
            await thrown { try await node.accounts.delete(as: agent) },
            await thrown { try await node.accounts.l2Status(after: nil, limit: 1, as: agent) },
            await thrown { try await node.entries.l2Values(of: .random(), after: nil, limit: 1, as: agent) },
            await thrown { try await node.beginRekey(ada, to: ada.nextL2Key(), as: agent) },
            await thrown { try await node.accounts.sessions(as: agent) },
            await thrown { try await node.accounts.end(nil, as: agent) },
            await thrown { try await node.accounts.profile(as: agent) },
            await thrown { try await node.accounts.credentials(as: agent) },
            await thrown { try await node.addPasskey(proof: ada.proof(), as: agent) },
            await thrown { try await node.accounts.renamePasskey(.random(), to: "x", as: agent) },
            await thrown { try await node.accounts.removePasskey(.random(), proof: ada.proof(), as: agent) },
        ]
        #expect(errors.allSatisfy { $0 as? VaultError == .ownerOnly })
    }
}
