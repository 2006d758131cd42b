import Auth
import Storage
import TestSupport
import Testing
import Vault
import VaultFormat

/// The first use after a change, which boxes what was sealed.
extension KeptCredentialTests {
    @Test(.timeLimit(.minutes(5))) func concurrentFirstUsesAllSucceed() async throws {
        let (owner, kitID, _) = try await setUp()
        _ = try await node.changePassword(ada, to: changed, keeping: [kitID], as: owner)
        let errors = await withTaskGroup(of: (any Error)?.self) { group in
            for _ in 0..<8 { group.addTask { await self.begin(self.kit) } }
            return await group.reduce(into: [(any Error)?]()) { $0.append($1) }
        }
        #expect(errors.allSatisfy { $0 == nil }, "\(errors)")
        #expect(try await node.form(of: kitID) == 1)
    }

    /// The commit of one that lost the race: the box is not what it was opened from any more.
    @Test func aLostRaceIsNoErrorAndKeepsTheOther() async throws {
        let (owner, kitID, _) = try await setUp()
        _ = try await node.changePassword(ada, to: changed, keeping: [kitID], as: owner)
        let sealed = try #require(try node.store.credential(.recovery, of: ada.vault)).box
        #expect(await begin(kit) == nil)
        let boxed = try #require(try node.store.credential(.recovery, of: ada.vault)).box
        try await node.store.commit([.boxCredential(kitID, from: sealed, to: [1, 2, 3])], [])
        #expect(try node.store.credential(.recovery, of: ada.vault)?.box == boxed)
    }

    @Test(arguments: [NodeHealth.Fault.damaged, .diskFull])
    func onAReadOnlyNodeTheSealStaysAndTheSignInWorks(_ fault: NodeHealth.Fault) async throws {
        let (owner, kitID, passkey) = try await setUp()
        _ = try await node.changePassword(ada, to: changed, keeping: [passkey.id, kitID], as: owner)
        node.health.note(fault)
        #expect(await thrown { try await node.login(passkey) } == nil)
        #expect(await begin(kit) == nil)
        #expect(try await node.form(of: passkey.id) == 2)
        #expect(try await node.form(of: kitID) == 2)
    }

    /// The same answer and the same lines for a wrong kit, whether the right one is boxed, sealed or none.
    @Test func aWrongKitIsToldAlikeInEveryForm() async throws {
        let (owner, kitID, _) = try await setUp()
        let boxed = await begin(Token(.recoveryKit))
        _ = try await node.changePassword(ada, to: changed, keeping: [kitID], as: owner)
        let sealed = await begin(Token(.recoveryKit))
        // What is sealed is not even opened.
        #expect(try await node.form(of: kitID) == 2)
        let unknown = await thrown {
            try await node.accounts.beginRecovery(
                .init(email: Person("nobody@example.org").email, proof: Person.proof(kit), device: nil),
                from: TestVault.home)
        }
        #expect([boxed, sealed, unknown].allSatisfy { $0 as? AuthError == .badCredentials })
    }
}
