import Auth
import SQLite
import TestSupport
import Testing
import Vault
import VaultFormat

/// Signing out everywhere.
extension OwnerChangeTests {
    @Test func signingOutEverywhereEndsAllButTheNewSession() async throws {
        try await node.register(ada)
        let elsewhere = try await node.login(ada).token
        let here = try await node.login(ada).token
        let owner = try await node.principal(here)
        let entry = try await node.entries.create(.login(), id: nil, as: owner)
        let session = try await node.signOutEverywhere(ada, as: owner).session
        let new = try await node.principal(session.token)
        let value = try await node.value(entry.field("password"), of: entry.id, as: new)
        let errors = [
            await thrown { try await node.principal(here) }, await thrown { try await node.principal(elsewhere) },
        ]
        let login = await thrown { try await node.login(ada) }
        let key = try ada.openL2Key(session.wrappedL2Key)
        #expect(errors.allSatisfy { $0 as? AuthError == .badToken })
        #expect(value == "hunter2")
        #expect(login == nil)
        #expect(key == ada.l2Key)
    }

    @Test func signingOutEverywhereNeedsThePassword() async throws {
        let owner = try await node.owner(ada)
        await #expect(throws: AuthError.wrongProof) { try await node.signOutEverywhere(changed, as: owner) }
    }

    @Test func aKitCannotSignOutEverywhere() async throws {
        let owner = try await node.owner(ada)
        let proof = Accounts.Proof(kind: .recovery, secret: Person.kitKey(ada.kit!), code: nil)
        let error = await thrown {
            try await node.accounts.signOutEverywhere(
                .init(recovery: ada.newRecovery, keep: [], agents: []), proof: proof, as: owner)
        }
        guard case .invalid("proof.kind", _)? = error as? AuthError else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func theOldKitEndsWithASignOutAndTheNewOneOpens() async throws {
        let owner = try await node.owner(ada)
        var next = ada
        next.kit = Token(.recoveryKit)
        _ = try await node.signOutEverywhere(next, as: owner)
        let old = await thrown { try await node.recover(next, kit: ada.kit!) }
        let new = await thrown { try await node.recover(next, kit: next.kit!) }
        #expect(old as? AuthError == .badCredentials)
        #expect(new == nil)
    }

    @Test func agentsThatAreNotNamedArePausedByASignOut() async throws {
        let owner = try await node.owner(ada)
        let kept = try await node.agent("kept", grants: [.tag("x")], as: owner)
        let thief = try await node.agent("thief", grants: [.tag("x")], as: owner)
        let change = try await node.signOutEverywhere(ada, keeping: [kept.id], as: owner)
        let errors = [
            await thrown { try await node.principal(kept) }, await thrown { try await node.principal(thief) },
        ]
        let event = try await node.events(as: try await node.principal(change.session.token))
            .first { $0.action == .signOutEverywhere }
        #expect(errors[0] == nil)
        #expect(errors[1] as? AuthError == .tokenRefused("paused"))
        #expect(change.activeAgents == [kept.id] && change.pausedAgents == [thief.id])
        #expect(event?.paused == [thief.id.text])
    }

    @Test func anAgentThatIsNotOfTheVaultCannotBeKept() async throws {
        let owner = try await node.owner(ada)
        let error = await thrown { try await node.signOutEverywhere(ada, keeping: [.random()], as: owner) }
        let holders = try node.count("SELECT count(*) FROM holder")
        guard case .invalid("keepAgents", _)? = error as? AuthError else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(holders == 1, "half a holder was left")
    }

    /// An attacker behind the same address exhausts the login limit, which does not affect the owner's session.
    @Test func unauthenticatedGuessesDoNotKeepTheOwnerFromSigningOut() async throws {
        let owner = try await node.owner(ada)
        for _ in 0..<400 { _ = await thrown { try await node.login(changed) } }
        let error = await thrown { try await node.signOutEverywhere(ada, as: owner) }
        #expect(error == nil)
    }

    @Test func guessesInAnotherSessionDoNotKeepTheOwnerFromSigningOut() async throws {
        try await node.register(ada)
        let thief = try await node.principal(try await node.login(ada).token)
        let owner = try await node.principal(try await node.login(ada).token)
        for _ in 0..<30 { _ = await thrown { try await node.signOutEverywhere(changed, as: thief) } }
        let error = await thrown { try await node.signOutEverywhere(ada, as: owner) }
        #expect(error == nil)
    }
}
