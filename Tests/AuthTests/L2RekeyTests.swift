import Auth
import Crypto
import Dispatch
import SQLite
import Storage
import TestSupport
import Testing
import Vault
import VaultFormat

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
        // Two versions of one L2 field, a removed L2 field, and an L1 field.
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

    @Test func afterwardsOnlyTheNewKeyOpensTheEnvelopes() async throws {
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
        Case(testDescription: "not a secret box") { all, _ in all[all.keys.first!] = [1, 2, 3] },
    ])
    func anIncompleteSetIsRefusedAndChangesNothing(_ example: Case) async throws {
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

    @Test func anAccountWithoutAKitNeedsNoNewOne() async throws {
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

    /// Another session has the old key, so its next L2 value could not be opened.
    @Test func everyOtherSessionEndsAndItsPendingWritesAreRefused() async throws {
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
