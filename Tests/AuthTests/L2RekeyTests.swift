import Auth
import Crypto
import Storage
import TestSupport
import Testing
import Vault
import VaultFormat

/// Generations of the l2Key: the beginning of a rekey, and what goes on while it runs.
@Suite struct L2RekeyTests {
    let node: TestVault
    let ada = Person("ada@example.org", kit: Token(.recoveryKit))
    let next: Person
    let owner: Principal
    let entry = EntryID.random()
    let field = FieldID.random()
    let writer: L2Writer

    init() async throws {
        node = try TestVault()
        owner = try await node.owner(ada)
        next = ada.nextL2Key()
        var writer = L2Writer(ada, entry: entry)
        var edit = EntryEdit.login()
        edit.fields.append(writer.field(field, "one"))
        edit.l2 = writer.write
        self.writer = writer
        _ = try await node.entries.create(edit, id: entry, as: owner)
    }

    /// Gives the entry its next key.
    private func rekeyEntry(to person: Person) async throws {
        var next = L2Writer(person, after: writer.key)
        let envelope = next.envelope("one", field)
        try await node.entries.rekey(
            entry, ifVersion: 1, next.write, envelopes: [L2Version(field: field, version: 1): envelope], as: owner)
    }

    private struct Status: Equatable {
        var generation: Int
        var previous: [UInt8]?
        var rest: [EntryID]

        static func done(_ generation: Int) -> Status { Status(generation: generation, previous: nil, rest: []) }
    }

    private func status() async throws -> Status {
        let (state, page) = try await node.accounts.l2Status(after: nil, limit: 9, as: owner)
        return Status(generation: state.generation, previous: state.previous, rest: page.items)
    }

    @Test func aRekeyBeginsWithTheNextGenerationAndEndsWithTheLastEntry() async throws {
        #expect(try await status() == .done(1))
        try await node.beginRekey(ada, to: next, as: owner)
        let begun = try await status()
        #expect(begun.generation == 2 && begun.rest == [entry])
        // The new key opens the old one, and with it the entry's.
        let old = try next.l2.previous(in: try #require(begun.previous))
        let row = try #require(try await node.entries.view(entry, as: owner).l2)
        #expect(row.generation == 1)
        #expect(try old.open(row.box, entry: entry, number: row.number).fields == [field: 1])
        try await rekeyEntry(to: next)
        #expect(try await status() == .done(2))
        #expect(try await node.verification().findings == [])
    }

    @Test func theNewCopiesOpenWithPasswordAndKit() async throws {
        try await node.beginRekey(ada, to: next, as: owner)
        let session = try await node.login(next)
        #expect(session.l2Generation == 2)
        #expect(try next.openL2Key(session.wrappedL2Key) == next.l2Key)
        #expect(throws: BoxError.wrongKeyOrContext) { try ada.openL2Key(session.wrappedL2Key) }
        let kit = try #require(next.kit)
        let begun = try await node.accounts.beginRecovery(
            .init(
                email: ada.email, proof: .init(kind: .recovery, secret: Person.kitKey(kit), code: nil), device: nil),
            from: nil)
        #expect(begun.l2Generation == 2)
        #expect(try next.openL2Key(begun.wrappedL2Key, kit: kit) == next.l2Key)
        let old = await thrown { try await node.recover(ada, kit: try #require(ada.kit)) }
        #expect(old as? AuthError == .badCredentials, "the old kit opens the old l2Key only")
    }

    @Test func withoutL2ValuesNothingIsLeftToDo() async throws {
        try await node.entries.trash(entry, ifVersion: nil, as: owner)
        try await node.entries.purge(entry, as: owner)
        try await node.beginRekey(ada, to: next, as: owner)
        #expect(try await status() == .done(2))
    }

    @Test func anotherRekeyWaitsForTheFirst() async throws {
        try await node.beginRekey(ada, to: next, as: owner)
        let third = next.nextL2Key()
        let error = await thrown { try await node.beginRekey(next, to: third, as: owner) }
        #expect(error as? VaultError == .l2RekeyRunning)
        try await rekeyEntry(to: next)
        try await node.beginRekey(next, to: third, as: owner)
        #expect(try await status().generation == 3)
    }

    @Test func aPurgedEntryEndsTheRekey() async throws {
        try await node.beginRekey(ada, to: next, as: owner)
        try await node.entries.trash(entry, ifVersion: nil, as: owner)
        #expect(try await status().rest == [entry], "an entry in the trash counts")
        try await node.entries.purge(entry, as: owner)
        #expect(try await status() == .done(2))
        #expect(try await node.verification().findings == [])
    }

    @Test(arguments: [1, 3, 0, Int.max]) func onlyTheNextGenerationIsAccepted(_ generation: Int) async throws {
        let error = await thrown {
            try await node.accounts.rekeyL2(
                .init(
                    generation: generation, wrappedKey: next.secrets.wrappedL2Key,
                    previous: next.l2.sealed(previous: ada.l2),
                    kit: next.recovery.map {
                        var kit = $0
                        kit.secrets.l2Generation = generation
                        return kit
                    }), proof: ada.proof(), as: owner)
        }
        #expect(error as? VaultError == .l2KeyChanged)
        #expect(try await status().generation == 1)
    }

    struct Refusal: CustomTestStringConvertible {
        var testDescription: String
        var member: String
        var change: @Sendable (inout (wrapped: [UInt8], previous: [UInt8], kit: Accounts.Kit?)) -> Void
    }

    @Test(arguments: [
        Refusal(testDescription: "no kit", member: "recovery") { $0.kit = nil },
        Refusal(testDescription: "a kit of another generation", member: "recovery.l2.generation") {
            $0.kit?.secrets.l2Generation = 1
        },
        Refusal(testDescription: "a wrapped key that is none", member: "l2.wrappedKey") { $0.wrapped.removeLast() },
        Refusal(testDescription: "a previous key that is none", member: "previous") { $0.previous.append(0) },
        Refusal(testDescription: "a previous key with a key id", member: "previous") { $0.previous[5] = 1 },
    ])
    func anIncompleteBeginningIsRefusedAndChangesNothing(_ refusal: Refusal) async throws {
        var parts = (
            wrapped: next.secrets.wrappedL2Key, previous: next.l2.sealed(previous: ada.l2), kit: next.recovery
        )
        refusal.change(&parts)
        let error = await thrown {
            try await node.accounts.rekeyL2(
                .init(generation: 2, wrappedKey: parts.wrapped, previous: parts.previous, kit: parts.kit),
                proof: ada.proof(),
                as: owner)
        }
        guard case .invalid(refusal.member, _)? = error as? AuthError else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(try await status().generation == 1)
        #expect(try ada.openL2Key(try await node.login(ada).wrappedL2Key) == ada.l2Key)
        #expect(await thrown { try await node.recover(ada, kit: try #require(ada.kit)) } == nil)
    }

    @Test func anAccountWithoutAKitNeedsNoNewOne() async throws {
        try await node.accounts.setRecovery(nil, proof: ada.proof(), as: owner)
        var bare = next
        bare.kit = nil
        try await node.beginRekey(ada, to: bare, as: owner)
        #expect(try next.openL2Key(try await node.login(ada).wrappedL2Key) == next.l2Key)
    }

    /// A passkey that is in a drawer cannot get the new key: it signs in, and opens no L2 values until it is added again.
    @Test func passkeysKeepNoCopyOfTheOldKey() async throws {
        let passkey = TestPasskey()
        _ = try await node.accounts.addPasskey(
            passkey.enrolment(ada.wrapped(under: .init(size: .bits256))), proof: ada.proof(), as: owner)
        #expect(try await node.accounts.credentials(as: owner).contains { $0.id == passkey.id && $0.opensL2 })
        try await node.beginRekey(ada, to: next, as: owner)
        #expect(try await node.accounts.credentials(as: owner).contains { $0.id == passkey.id && !$0.opensL2 })
        // A copy of the former generation is not taken either.
        let late = TestPasskey()
        await #expect(throws: VaultError.l2KeyChanged) {
            try await node.accounts.addPasskey(
                late.enrolment(ada.wrapped(under: .init(size: .bits256))), proof: next.proof(), as: owner)
        }
    }

    @Test func withoutThePasswordItIsRefused() async throws {
        let wrong = Person("ada@example.org", password: "wrong")
        let error = await thrown { try await node.beginRekey(wrong, to: next, as: owner) }
        #expect(error as? AuthError == .wrongProof)
        #expect(try await status().generation == 1)
    }

    /// Another session has the old key.
    @Test func everyOtherSessionEndsAndItsPendingWritesAreRefused() async throws {
        let token = try await node.login(ada).token
        let other = try await node.principal(token)
        try await node.beginRekey(ada, to: next, as: owner)
        let request = await thrown { try await node.principal(token) }
        let password = await thrown { try await node.changePassword(ada, to: ada, as: other) }
        var stale = writer
        let edit = stale.field(field, "lost", label: nil, version: 2)
        let write = await thrown {
            try await node.entries.update(entry, ifVersion: 1, EntryEdit(fields: [edit], l2: stale.write), as: other)
        }
        #expect(request as? AuthError == .badToken)
        #expect(password as? VaultError == .principalGone)
        #expect(write as? VaultError == .principalGone)
        // The session that began it goes on.
        #expect(try await node.entries.view(entry, as: owner).version == 1)
    }

    /// No request may bring an older copy of the key back, whoever made it.
    @Test func copiesOfTheOldKeyAreRefused() async throws {
        try await node.beginRekey(ada, to: next, as: owner)
        let errors = [
            await thrown { try await node.changePassword(ada, to: ada, as: owner) },
            await thrown { try await node.signOutEverywhere(ada, as: owner) },
            await thrown { try await node.accounts.setRecovery(ada.recovery, proof: ada.proof(), as: owner) },
            await thrown { try await node.recover(ada, kit: try #require(next.kit)) },
        ]
        #expect(errors.map { $0 as? VaultError } == .init(repeating: .l2KeyChanged, count: 4))
        #expect(try next.openL2Key(try await node.login(ada).wrappedL2Key) == next.l2Key)
    }

    @Test func aChangeOfThePasswordDoesNotDisturbARekey() async throws {
        try await node.beginRekey(ada, to: next, as: owner)
        var changed = next
        changed.password = "granite parsley"
        let change = try await node.changePassword(next, to: changed, as: owner)
        #expect(change.session.l2Generation == 2)
        let again = try await node.principal(change.session.token)
        let state = try await node.accounts.l2Status(after: nil, limit: 9, as: again)
        #expect(state.entries.items == [entry])
        let key = try changed.openL2Key(change.session.wrappedL2Key)
        let present = L2Key(vault: ada.vault, generation: 2, key: key)
        #expect(throws: Never.self) { try present.previous(in: try #require(state.state.previous)) }
    }

    @Test func theLogTellsAboutIt() async throws {
        try await node.beginRekey(ada, to: next, as: owner)
        try await rekeyEntry(to: next)
        let actions = try await node.events(as: owner).map(\.action)
        #expect(Array(actions.prefix(3)) == [.entryRekey, .recoveryChange, .l2Rekey])
    }
}
