import Auth
import Crypto
import Dispatch
import SQLite
import Storage
import TestSupport
import Testing
import Vault
import VaultFormat

@Suite struct RecoveryTests {
    let node: TestVault
    let kit = Token(.recoveryKit)
    let ada: Person

    init() throws {
        node = try TestVault()
        ada = Person("ada@example.org", kit: kit)
    }

    @Test func theKitOpensTheVaultAndSetsANewPassword() async throws {
        let owner = try await node.owner(ada)
        let entry = try await node.entries.create(.login(), id: nil, as: owner)
        var changed = ada
        changed.password = "new"
        changed.kit = Token(.recoveryKit)
        let session = try await node.recover(changed, kit: kit).session
        let value = try await node.value(
            entry.field("password"), of: entry.id, as: try await node.principal(session.token))
        let old = await thrown { try await node.login(ada) }
        let new = await thrown { try await node.login(changed) }
        let oldKit = await thrown { try await node.recover(changed, kit: kit) }
        #expect(value == "hunter2")
        #expect(old as? AuthError == .badCredentials)
        #expect(new == nil)
        #expect(oldKit as? AuthError == .badCredentials)
    }

    @Test func everySessionEndsAndAgentsThatAreNotNamedArePaused() async throws {
        let owner = try await node.owner(ada)
        let token = try await node.login(ada).token
        let kept = try await node.agent("kept", grants: [.tag("x")], as: owner)
        let other = try await node.agent("other", grants: [.tag("x")], as: owner)
        let change = try await node.recover(ada, kit: kit, keeping: [kept.id])
        let errors = [
            await thrown { try await node.principal(token) }, await thrown { try await node.principal(kept) },
            await thrown { try await node.principal(other) },
        ]
        #expect(errors[0] as? AuthError == .badToken)
        #expect(errors[1] == nil)
        #expect(errors[2] as? AuthError == .tokenRefused("paused"))
        #expect(change.endedSessions == 2)
        #expect(change.activeAgents == [kept.id] && change.pausedAgents == [other.id])
    }

    /// While a request with the old kit waits, the owner replaces the kit.
    @Test func aKitThatIsReplacedMeanwhileIsRejected() async throws {
        let owner = try await node.owner(ada)
        let request = Accounts.Recovery(
            email: ada.email, proof: .init(kind: .recovery, secret: Person.kitKey(kit), code: nil), device: nil)
        let release = DispatchSemaphore(value: 0)
        // A change that holds the vault's lock.
        let change = Task { [node] in
            try await node.agents.create(
                .init(name: "slow", grants: [.tag("t")], policy: AgentPolicy()), as: owner
            ) { created in
                release.wait()
                return node.tokens.mutations(for: created.holder, Token(.agent), vault: owner.vault)
            }
        }
        try await eventually("the change runs") { node.entries.work.running > 0 }
        let thief = Task { [node, ada] in
            try await node.accounts.recover(
                request, ada.secrets, .init(recovery: ada.newRecovery, keep: [], agents: []), from: TestVault.home)
        }
        try await eventually("the recovery waits") { node.entries.work.waiting > 0 }
        let old = try #require(try node.store.credential(.recovery, of: ada.vault))
        let line = try node.audit.seal(AuditEvent(.recoveryChange, by: .init(.owner)), vault: ada.vault)
        try await node.store.commit([.deleteCredential(old.id)], [line])
        release.signal()
        _ = try await change.value
        let error = await thrown { try await thief.value }
        #expect(error as? AuthError == .badCredentials)
        #expect(try await node.store.holds(owner))
    }

    @Test func theFirstStepChangesNothing() async throws {
        let owner = try await node.owner(ada)
        let request = Accounts.Recovery(
            email: ada.email, proof: .init(kind: .recovery, secret: Person.kitKey(kit), code: nil), device: nil)
        let begun = try await node.accounts.beginRecovery(request, from: TestVault.home)
        let key = try ada.openL2Key(begun.wrappedL2Key, kit: kit)
        let event = try await node.events(as: owner).first
        let login = await thrown { try await node.login(ada) }
        #expect(begun.vault == ada.vault)
        #expect(key == ada.l2Key)
        #expect(event?.action == .recoveryBegin)
        #expect(login == nil)
    }

    @Test func aRecoveryIsLoggedAsSuch() async throws {
        let owner = try await node.owner(ada)
        let change = try await node.recover(ada, kit: kit)
        let new = try await node.principal(change.session.token)
        let events = try await node.events(as: new)
        let recovery = try #require(events.first { $0.action == .accountRecover })
        #expect(events.first?.action == .recoveryChange)
        #expect(recovery.subject == owner.vault.text)
        #expect(recovery.holder == new.holder.id.text)
    }

    @Test func theLogAndTheRowsAgreeAfterwards() async throws {
        let owner = try await node.owner(ada)
        _ = try await node.entries.create(.login(), id: nil, as: owner)
        _ = try await node.recover(ada, kit: kit)
        let findings = try await node.verification().findings
        #expect(findings.isEmpty)
    }

    @Test func aWrongKitAndAnAbsentOneGetTheSameAnswer() async throws {
        try await node.register(ada)
        try await node.register(Person("bob@example.org"))
        let wrong = await thrown { try await node.recover(ada, kit: Token(.recoveryKit)) }
        let absent = await thrown { try await node.recover(Person("bob@example.org"), kit: kit) }
        let unknown = await thrown { try await node.recover(Person("nobody@example.org"), kit: kit) }
        #expect([wrong, absent, unknown].allSatisfy { $0 as? AuthError == .badCredentials })
    }

    @Test func guessesAtKitsAreLimited() async throws {
        try await node.register(ada)
        for _ in 0..<10 { _ = await thrown { try await node.recover(ada, kit: Token(.recoveryKit)) } }
        let error = await thrown { try await node.recover(ada, kit: kit) }
        #expect(error as? AuthError == .tooManyAttempts(retryAfter: 90))
    }

    @Test func thePasswordsKeyIsNotAKit() async throws {
        try await node.register(ada)
        let error = await thrown {
            try await node.accounts.beginRecovery(
                .init(
                    email: ada.email, proof: .init(kind: .recovery, secret: ada.authKey, code: nil), device: nil),
                from: nil)
        }
        #expect(error as? AuthError == .badCredentials)
    }

    @Test func aNewKitReplacesTheOld() async throws {
        let owner = try await node.owner(ada)
        var changed = ada
        changed.kit = Token(.recoveryKit)
        try await node.accounts.setRecovery(changed.recovery, proof: ada.proof(), as: owner)
        let old = await thrown { try await node.recover(ada, kit: kit) }
        let new = await thrown { try await node.recover(ada, kit: changed.kit!) }
        #expect(old as? AuthError == .badCredentials)
        #expect(new == nil)
    }

    @Test func aRemovedKitIsRejected() async throws {
        let owner = try await node.owner(ada)
        try await node.accounts.setRecovery(nil, proof: ada.proof(), as: owner)
        let error = await thrown { try await node.recover(ada, kit: kit) }
        #expect(error as? AuthError == .badCredentials)
    }
}
