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

    /// While whoever has the old kit waits for a turn, the owner gets a new one.
    @Test func aKitThatIsReplacedMeanwhileOpensNothing() async throws {
        let owner = try await node.owner(ada)
        let request = Accounts.Recovery(
            email: ada.email, proof: .init(kind: .recovery, secret: Person.kitKey(kit), code: nil), device: nil)
        let release = DispatchSemaphore(value: 0)
        // A change that keeps the vault's turn.
        let change = Task { [node] in
            try await node.roster.create(
                .init(name: "slow", grants: [.tag("t")], policy: AgentPolicy()), as: owner
            ) { created in
                release.wait()
                return node.tokens.mutations(for: created.holder, Token(.agent), vault: owner.vault)
            }
        }
        while node.entries.work.running == 0 { try await Task.sleep(for: .milliseconds(2)) }
        let thief = Task { [node, ada] in
            try await node.accounts.recover(
                request, ada.secrets, .init(recovery: ada.newRecovery, agents: []), from: TestVault.home)
        }
        while node.entries.work.waiting == 0 { try await Task.sleep(for: .milliseconds(2)) }
        try node.file().script("UPDATE credential SET id = randomblob(16) WHERE kind = 'recovery'")
        release.signal()
        _ = try await change.value
        let error = await thrown { try await thief.value }
        #expect(error as? AuthError == .badCredentials)
        #expect(try await node.store.holds(owner))
    }

    @Test func theFirstHalfChangesNothing() async throws {
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

    @Test func itsUseIsOnRecordAsWhatItIs() async throws {
        let owner = try await node.owner(ada)
        let change = try await node.recover(ada, kit: kit)
        let new = try await node.principal(change.session.token)
        let events = try await node.events(as: new)
        let recovery = try #require(events.first { $0.action == .accountRecover })
        #expect(events.first?.action == .recoveryChange)
        #expect(recovery.subject == owner.holder.id.text)
        #expect(recovery.successor == new.holder.id.text)
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

    @Test func guessesAtKitsAreBounded() async throws {
        try await node.register(ada)
        for _ in 0..<10 { _ = await thrown { try await node.recover(ada, kit: Token(.recoveryKit)) } }
        let error = await thrown { try await node.recover(ada, kit: kit) }
        #expect(error as? AuthError == .tooManyAttempts(retryAfter: 90))
    }

    @Test func thePasswordsKeyIsNoKit() async throws {
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

    @Test func aRemovedKitOpensNothing() async throws {
        let owner = try await node.owner(ada)
        try await node.accounts.setRecovery(nil, proof: ada.proof(), as: owner)
        let error = await thrown { try await node.recover(ada, kit: kit) }
        #expect(error as? AuthError == .badCredentials)
    }
}

@Suite struct L2RekeyTests {
    let node: TestVault
    let ada = Person("ada@example.org", kit: Token(.recoveryKit))
    let owner: Principal
    let entry = EntryID.random()
    let field = FieldID.random()
    let fresh: Person

    init() async throws {
        node = try TestVault()
        owner = try await node.owner(ada)
        var fresh = ada
        fresh.l2Key = SymmetricKey(size: .bits256)
        self.fresh = fresh
        // Two versions of one L2 field, a removed one, and an L1 field that is none of this.
        let removed = FieldID.random()
        var edit = EntryEdit.login()
        edit.fields += [envelope(field, version: 1, "one"), envelope(removed, version: 1, "gone")]
        _ = try await node.entries.create(edit, id: entry, as: owner)
        _ = try await node.entries.update(
            entry, ifVersion: 1,
            EntryEdit(fields: [envelope(field, version: 2, "two"), .init(id: removed, isRemoved: true)]), as: owner)
    }

    private func place(_ field: FieldID, _ version: Int) -> FieldPlace {
        FieldPlace(vault: ada.vault, entry: entry, field: field, tier: .l2, version: version)
    }

    private func envelope(_ field: FieldID, version: Int, _ value: String) -> EntryEdit.Field {
        let box = Box.seal(Array(value.utf8), key: ada.l2Key, context: place(field, version).valueContext)
        return .init(id: field, label: "l2", tier: .l2, content: .envelope(box))
    }

    private func renewed() async throws -> [FieldPlace: [UInt8]] {
        let stored = try await node.l2Values(as: owner)
        return Dictionary(
            uniqueKeysWithValues: try stored.map { value in
                let plaintext = try Box.open(value.box, key: ada.l2Key, context: value.place.valueContext)
                return (value.place, Box.seal(plaintext, key: fresh.l2Key, context: value.place.valueContext))
            })
    }

    private func rekey(_ envelopes: [FieldPlace: [UInt8]], recovery: Bool = true) async throws {
        try await node.accounts.rekeyL2(
            wrappedKey: fresh.secrets.wrappedL2Key, kit: recovery ? fresh.recovery : nil, envelopes: envelopes,
            proof: ada.proof(), as: owner)
    }

    @Test func everyValueOfEveryVersionIsListed() async throws {
        let values = try await node.l2Values(as: owner)
        #expect(values.count == 3)
        #expect(values.allSatisfy { $0.place.tier == .l2 })
    }

    @Test func afterwardsAllOpensUnderTheNewKeyAndNothingUnderTheOld() async throws {
        let before = try await node.entries.view(entry, as: owner)
        try await rekey(try await renewed())
        let values = try await node.l2Values(as: owner)
        for value in values {
            #expect(throws: Never.self) { try Box.open(value.box, key: fresh.l2Key, context: value.place.valueContext) }
            #expect(throws: BoxError.self) {
                try Box.open(value.box, key: ada.l2Key, context: value.place.valueContext)
            }
        }
        let wrapped = try await node.login(ada).wrappedL2Key
        let key = try ada.openL2Key(wrapped)
        let begun = try await node.accounts.beginRecovery(
            .init(
                email: ada.email, proof: .init(kind: .recovery, secret: Person.kitKey(ada.kit!), code: nil),
                device: nil), from: nil)
        let byKit = try ada.openL2Key(begun.wrappedL2Key, kit: ada.kit!)
        let after = try await node.entries.view(entry, as: owner)
        #expect(key == fresh.l2Key)
        #expect(byKit == fresh.l2Key)
        #expect(after == before, "versions stay")
        #expect(values.count == 3)
    }

    struct Case: CustomTestStringConvertible {
        var testDescription: String
        var change: @Sendable (inout [FieldPlace: [UInt8]], VaultID) -> Void
    }

    @Test(arguments: [
        Case(testDescription: "none") { all, _ in all = [:] },
        Case(testDescription: "one missing") { all, _ in all.removeValue(forKey: all.keys.first!) },
        Case(testDescription: "one too many") { all, vault in
            all[FieldPlace(vault: vault, entry: .random(), field: .random(), tier: .l2, version: 1)] = all.values.first
        },
        Case(testDescription: "another version") { all, _ in
            var place = all.keys.first!
            let box = all.removeValue(forKey: place)
            place.version += 7
            all[place] = box
        },
        Case(testDescription: "another tier") { all, _ in
            var place = all.keys.first!
            let box = all.removeValue(forKey: place)
            place.tier = .l1
            all[place] = box
        },
        Case(testDescription: "no box") { all, _ in all[all.keys.first!] = [1, 2, 3] },
    ])
    func anythingButExactlyAllIsRefusedAndChangesNothing(_ example: Case) async throws {
        var envelopes = try await renewed()
        example.change(&envelopes, ada.vault)
        let before = try await node.l2Values(as: owner).map(\.box)
        let error = await thrown { try await rekey(envelopes) }
        let after = try await node.l2Values(as: owner).map(\.box)
        let key = try ada.openL2Key(try await node.login(ada).wrappedL2Key)
        #expect(error != nil)
        #expect(before == after)
        #expect(key == ada.l2Key)
    }

    @Test func withoutANewKitItIsRefusedAndTheOldKitStays() async throws {
        let error = await thrown { try await rekey(try await renewed(), recovery: false) }
        let kit = await thrown { try await node.recover(ada, kit: ada.kit!) }
        guard case .invalid("recovery", _)? = error as? AuthError else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(kit == nil)
    }

    @Test func withoutAKitNoneIsNeeded() async throws {
        try await node.accounts.setRecovery(nil, proof: ada.proof(), as: owner)
        try await rekey(try await renewed(), recovery: false)
        let key = try ada.openL2Key(try await node.login(ada).wrappedL2Key)
        #expect(key == fresh.l2Key)
    }

    @Test func withoutThePasswordItIsRefused() async throws {
        let wrong = Person("ada@example.org", password: "wrong")
        let envelopes = try await renewed()
        let error = await thrown {
            try await node.accounts.rekeyL2(
                wrappedKey: fresh.secrets.wrappedL2Key, kit: fresh.recovery, envelopes: envelopes,
                proof: wrong.proof(), as: owner)
        }
        #expect(error as? AuthError == .wrongProof)
    }

    @Test func theSessionGoesOn() async throws {
        try await rekey(try await renewed())
        let view = try await node.entries.view(entry, as: owner)
        #expect(view.version == 2)
    }

    /// It has the old key, so the next thing that it writes would be lost.
    @Test func everyOtherSessionEndsAndWhatItHadBegunIsRefused() async throws {
        let token = try await node.login(ada).token
        let other = try await node.principal(token)
        try await rekey(try await renewed())
        let request = await thrown { try await node.principal(token) }
        let password = await thrown {
            try await node.changePassword(ada, to: ada, as: other)
        }
        let write = await thrown {
            try await node.entries.update(
                entry, ifVersion: 2, EntryEdit(fields: [envelope(field, version: 3, "lost")]), as: other)
        }
        let key = try ada.openL2Key(try await node.login(ada).wrappedL2Key)
        #expect(request as? AuthError == .badToken)
        #expect(password as? VaultError == .principalGone)
        #expect(write as? VaultError == .principalGone)
        #expect(key == fresh.l2Key)
    }
}
