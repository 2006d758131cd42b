import Auth
import SQLite
import Storage
import TestSupport
import Testing
import Vault
import VaultFormat

/// What lives on when the owner's key holder changes.
@Suite struct KeptCredentialTests {
    let node: TestVault
    let kit = Token(.recoveryKit)
    let ada: Person
    let changed: Person

    init() throws {
        node = try TestVault()
        ada = Person("ada@example.org", kit: kit)
        var changed = ada
        changed.password = "another password"
        self.changed = changed
    }

    func setUp() async throws -> (owner: Principal, kit: CredentialID, passkey: TestPasskey) {
        let owner = try await node.owner(ada)
        node.moments.advance(by: 1)
        let passkey = try await node.addPasskey(proof: ada.proof(), as: owner)
        return (owner, try #require(try await node.kit(as: owner)), passkey)
    }

    func begin(_ kit: Token) async -> (any Error)? {
        await thrown {
            try await node.accounts.beginRecovery(
                .init(email: ada.email, proof: Person.proof(kit), device: nil), from: TestVault.home)
        }
    }

    @Test func whatIsNotNamedDies() async throws {
        let (owner, kitID, passkey) = try await setUp()
        let change = try await node.changePassword(ada, to: changed, keeping: [], as: owner)
        let errors = [await thrown { try await node.login(passkey) }, await begin(kit)]
        let new = try await node.principal(change.session.token)
        #expect(errors.allSatisfy { $0 as? AuthError == .badCredentials })
        #expect(change.kit == .none && change.kept.isEmpty && Set(change.ended) == [kitID, passkey.id])
        #expect(!change.isOwed)
        #expect(try await node.accounts.credentials(as: new).isEmpty)
        #expect(try node.count("SELECT count(*) FROM item") == 1)
        let event = try await node.events(as: new).first { $0.action == .passwordChange }
        #expect(event?.kept == [] && Set(event?.ended ?? []) == [kitID.text, passkey.id.text])
    }

    @Test func aKeptPasskeyOpensTheNewKeyHolderAndIsBoxedAtItsFirstUse() async throws {
        let (owner, _, passkey) = try await setUp()
        let entry = try await node.entries.create(.login(), id: nil, as: owner)
        let change = try await node.changePassword(ada, to: changed, keeping: [passkey.id], as: owner)
        #expect(try await node.form(of: passkey.id) == 2)
        let session = try await node.login(passkey, credentialID: passkey.credentialID)
        #expect(try await node.form(of: passkey.id) == 1)
        let new = try await node.principal(session.token)
        let value = try await node.value(entry.field("password"), of: entry.id, as: new)
        let again = await thrown { try await node.login(passkey) }
        #expect(value == "hunter2" && again == nil)
        #expect(change.kit == .none && change.kept == [passkey.id])
        #expect(new.holder.id != owner.holder.id)
        #expect(try await node.accounts.credentials(as: new).map(\.details?.name) == ["MacBook"])
    }

    @Test func aKeptKitRecoversOnceAndIsBoxedBefore() async throws {
        let (owner, kitID, passkey) = try await setUp()
        let change = try await node.changePassword(ada, to: changed, keeping: [kitID], as: owner)
        #expect(change.kit == .kept && change.kept == [kitID] && change.ended == [passkey.id])
        #expect(try await node.form(of: kitID) == 2)
        #expect(await begin(kit) == nil)
        #expect(try await node.form(of: kitID) == 1)
        var next = changed
        next.password = "third"
        next.kit = nil
        let recovered = try await node.recover(next, kit: kit)
        let key = try next.openL2Key(recovered.session.wrappedL2Key)
        let again = await thrown { try await node.recover(next, kit: kit) }
        #expect(again as? AuthError == .badCredentials)
        #expect(key == ada.l2Key)
        #expect(recovered.ended == [kitID])
    }

    /// The l2Key stays the same, so its copies do too.
    @Test func copiesOfTheL2KeyAreUnchanged() async throws {
        let (owner, kitID, _) = try await setUp()
        let before = try #require(
            try node.file().first("SELECT l2_key FROM credential WHERE kind = 'recovery'") { $0.blob(0) })
        _ = try await node.changePassword(ada, to: changed, keeping: [kitID], as: owner)
        let after = try node.file().first("SELECT l2_key FROM credential WHERE kind = 'recovery'") { $0.blob(0) }
        let begun = try await node.accounts.beginRecovery(
            .init(email: ada.email, proof: Person.proof(kit), device: nil), from: nil)
        let key = try ada.openL2Key(begun.wrappedL2Key, kit: kit)
        #expect(before == after)
        #expect(key == ada.l2Key)
    }

    @Test func theyOutliveSeveralChanges() async throws {
        let (owner, kitID, passkey) = try await setUp()
        var (person, principal) = (ada, owner)
        for number in 0..<3 {
            var next = person
            next.password = "number \(number)"
            let change = try await node.changePassword(
                person, to: next, keeping: [kitID, passkey.id], as: principal)
            (person, principal) = (next, try await node.principal(change.session.token))
        }
        #expect(await thrown { try await node.login(passkey) } == nil)
        #expect(await begin(kit) == nil)
        #expect(try await node.verification().findings == [])
    }

    @Test func signingOutEverywhereKeepsWhatIsNamed() async throws {
        let (owner, kitID, passkey) = try await setUp()
        let change = try await node.accounts.signOutEverywhere(
            .init(recovery: nil, keep: [kitID], agents: []), proof: ada.proof(), as: owner)
        #expect(change.kit == .kept && change.ended == [passkey.id])
        #expect(await begin(kit) == nil)
        #expect(await thrown { try await node.login(passkey) } as? AuthError == .badCredentials)
    }

    @Test func recoveryKeepsNothing() async throws {
        let (_, _, passkey) = try await setUp()
        let request = Accounts.Recovery(email: ada.email, proof: Person.proof(kit), device: nil)
        let error = await thrown {
            try await node.accounts.recover(
                request, changed.secrets, .init(recovery: nil, keep: [passkey.id], agents: []), from: TestVault.home)
        }
        guard case .invalid("keep", _)? = error as? AuthError else {
            Issue.record("\(String(describing: error))")
            return
        }
        let change = try await node.accounts.recover(
            request, changed.secrets, .init(recovery: nil, keep: [], agents: []), from: TestVault.home)
        #expect(change.kit == .none)
        #expect(await thrown { try await node.login(passkey) } as? AuthError == .badCredentials)
    }

    struct Bad: CustomTestStringConvertible {
        var testDescription: String
        var member: String
        var options: @Sendable (KeptCredentialTests, CredentialID, TestPasskey) throws -> Accounts.OwnerChangeOptions
    }

    @Test(arguments: [
        Bad(testDescription: "an unknown id", member: "keep") { _, _, _ in
            .init(recovery: nil, keep: [.random()], agents: nil)
        },
        Bad(testDescription: "a password", member: "keep") { test, _, _ in
            let id = try #require(try test.node.store.credential(.password, of: test.ada.vault)).id
            return .init(recovery: nil, keep: [id], agents: nil)
        },
        Bad(testDescription: "a new kit beside the present one", member: "recovery") { test, kit, _ in
            .init(recovery: test.ada.newRecovery, keep: [kit], agents: nil)
        },
    ])
    func isRefusedAndChangesNothing(_ example: Bad) async throws {
        let (owner, kitID, passkey) = try await setUp()
        let options = try example.options(self, kitID, passkey)
        let error = await thrown {
            try await node.accounts.changePassword(changed.secrets, options, proof: ada.proof(), as: owner)
        }
        guard case .invalid(let member, _)? = error as? AuthError else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(member == example.member)
        #expect(await thrown { try await node.login(passkey) } == nil)
        #expect(await begin(kit) == nil)
        #expect(try node.count("SELECT count(*) FROM holder") == 1)
    }

    @Test func sessionsAreNeverKept() async throws {
        let (owner, _, _) = try await setUp()
        let session = try #require(owner.session)
        let error = await thrown {
            try await node.changePassword(ada, to: changed, keeping: [session], as: owner)
        }
        guard case .invalid("keep", _)? = error as? AuthError else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    /// A kept credential is the proof of the next change.
    @Test func aSealedPasskeyProvesTheNextChange() async throws {
        let (owner, kitID, passkey) = try await setUp()
        let change = try await node.changePassword(ada, to: changed, keeping: [passkey.id, kitID], as: owner)
        let new = try await node.principal(change.session.token)
        let proof = try passkey.proof(node.accounts.passkeyChallenge().challenge)
        let next = try await node.accounts.changePassword(
            ada.secrets, .init(recovery: nil, keep: [passkey.id], agents: nil), proof: proof, as: new)
        #expect(next.ended == [kitID])
        #expect(try await node.form(of: passkey.id) == 2)
        #expect(await thrown { try await node.login(passkey) } == nil)
        #expect(await thrown { try await node.login(ada) } == nil)
    }
}
