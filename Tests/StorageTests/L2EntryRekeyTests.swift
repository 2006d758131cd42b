import Auth
import SQLite
import Storage
import TestSupport
import Testing
import Vault
import VaultFormat

/// The second part of a rekey: entry by entry, with history, and what somebody who writes to the file can do to it.
@Suite struct L2EntryRekeyTests {
    let node: TestVault
    let ada = Person()
    let next: Person
    let owner: Principal
    let id = EntryID.random()
    let field = FieldID.random()
    private let old: L2Writer

    /// An entry with two versions of one L2 field, a removed L2 field and an L1 field.
    init() async throws {
        node = try TestVault()
        owner = try await node.owner(ada)
        next = ada.nextL2Key()
        let removed = FieldID.random()
        var writer = L2Writer(ada, entry: id)
        var edit = EntryEdit.login()
        edit.fields += [writer.field(field, "one"), writer.field(removed, "gone", label: "removed")]
        edit.l2 = writer.write
        _ = try await node.entries.create(edit, id: id, as: owner)
        var second = EntryEdit(fields: [
            writer.field(field, "two", label: nil, version: 2), .init(id: removed, isRemoved: true),
        ])
        writer.key.fields[removed] = nil
        second.l2 = writer.write
        _ = try await node.entries.update(id, ifVersion: 1, second, as: owner)
        old = writer
    }

    private func renewed(_ person: Person? = nil) async throws -> (
        write: L2EntryWrite, envelopes: [L2Version: [UInt8]], key: L2EntryKey
    ) {
        let new = L2Writer(person ?? next, after: old.key)
        var envelopes: [L2Version: [UInt8]] = [:]
        for item in try await node.l2Values(of: id, as: owner) {
            let place = item.value.place
            let value = try old.key.open(item.value.box, field: place.field, version: place.version)
            envelopes[L2Version(field: place.field, version: place.version)] = new.key.seal(
                value, field: place.field, version: place.version)
        }
        return (new.write, envelopes, new.key)
    }

    private func begin() async throws { try await node.beginRekey(ada, to: next, as: owner) }

    private func rekey(_ write: L2EntryWrite, _ envelopes: [L2Version: [UInt8]], version: Int = 2) async throws {
        try await node.entries.rekey(id, ifVersion: version, write, envelopes: envelopes, as: owner)
    }

    @Test func everyVersionIsListedWithTheCurrentOnesMarked() async throws {
        let values = try await node.l2Values(of: id, as: owner)
        #expect(values.count == 3)
        #expect(values.filter(\.isCurrent).map(\.value.place.version) == [2])
        let lines = try await node.events(as: owner).filter { $0.action == .export }
        #expect(lines.compactMap(\.count) == [1, 2] && lines.allSatisfy { $0.entry == id.text && $0.reason == "l2" })
    }

    @Test func afterwardsOnlyTheNewKeyOpensAndVersionsStay() async throws {
        let before = try await node.entries.view(id, as: owner)
        try await begin()
        let (write, envelopes, key) = try await renewed()
        try await rekey(write, envelopes)
        let after = try await node.entries.view(id, as: owner)
        #expect(after.version == before.version && after.fields == before.fields)
        #expect(after.l2?.number == 2 && after.l2?.generation == 2)
        let values = try await node.l2Values(of: id, as: owner)
        #expect(values.count == 3)
        for item in values {
            let place = item.value.place
            #expect(throws: Never.self) { try key.open(item.value.box, field: place.field, version: place.version) }
            #expect(throws: BoxError.wrongKeyOrContext) {
                try old.key.open(item.value.box, field: place.field, version: place.version)
            }
        }
        #expect(try await node.verification().findings == [])
        // It goes on as before: a change, and the history.
        var writer = L2Writer(next, after: old.key)
        writer.key = key
        let edit = EntryEdit(fields: [writer.field(field, "three", label: nil, version: 3)], l2: writer.write)
        _ = try await node.entries.update(id, ifVersion: 2, edit, as: owner)
        #expect(try await node.entries.versions(of: id, as: owner).count == 3)
        #expect(try await node.verification().findings == [])
    }

    @Test func olderVersionsThatAreNotNamedAreDeleted() async throws {
        try await begin()
        let (write, envelopes, _) = try await renewed()
        try await rekey(write, envelopes.filter { $0.key.version == 2 })
        #expect(try await node.l2Values(of: id, as: owner).count == 1)
        #expect(try node.count("SELECT COUNT(*) FROM value WHERE tier = 2") == 1)
        let events = try await node.events(as: owner)
        #expect(events.first { $0.action == .historyPrune }?.count == 2)
        #expect(try await node.verification().findings == [])
    }

    @Test func nothingOfTheOldValuesIsLeftInTheFiles() async throws {
        let old = try await node.l2Values(of: id, as: owner).map(\.value.box)
        let files = { try node.scratch.everything(beginning: TestVault.name) }
        for box in old { #expect(try files().holds(box[6..<62])) }
        try await begin()
        let (write, envelopes, _) = try await renewed()
        try await rekey(write, envelopes.filter { $0.key.version == 2 })
        // Salt and commitment of each are 56 random bytes.
        for box in old { #expect(!(try files().holds(box[6..<62]))) }
    }

    @Test func anEntryInTheTrashIsRekeyedToo() async throws {
        try await begin()
        try await node.entries.trash(id, ifVersion: nil, as: owner)
        let (write, envelopes, key) = try await renewed()
        try await rekey(write, envelopes)
        let back = try await node.entries.untrash(id, as: owner)
        #expect(back.l2?.number == key.number)
        #expect(try await node.accounts.l2Status(after: nil, limit: 9, as: owner).state.previous == nil)
    }

    struct Refusal: CustomTestStringConvertible {
        var testDescription: String
        var error: VaultError?
        var member: String?
        var change: @Sendable (inout L2EntryWrite, inout [L2Version: [UInt8]], FieldID) -> Void
    }

    private static func current(_ field: FieldID) -> L2Version { L2Version(field: field, version: 2) }

    @Test(arguments: [
        Refusal(testDescription: "no envelope", member: "envelopes") {
            $1 = [:]; _ = ($0, $2)
        },
        Refusal(testDescription: "the current one is missing", member: "envelopes") {
            $1[current($2)] = nil; _ = $0
        },
        Refusal(testDescription: "one too many", member: "envelopes") { _, all, field in
            all[L2Version(field: .random(), version: 1)] = all[current(field)]
        },
        Refusal(testDescription: "another version", member: "envelopes") { _, all, field in
            all[L2Version(field: field, version: 7)] = all[current(field)]
        },
        Refusal(testDescription: "a longer one", member: "envelopes") { _, all, field in
            all[current(field)]?.append(0)
        },
        Refusal(testDescription: "the old number in an envelope", member: "envelopes.envelope") { _, all, field in
            all[current(field)]?[5] = 1
        },
        Refusal(testDescription: "not a secret box", member: "fields.envelope") { _, all, field in
            all[current(field)] = [1, 2, 3]
        },
        Refusal(testDescription: "the same generation", error: .l2KeyChanged) { write, _, _ in
            write = L2EntryWrite(generation: 1, number: 2, box: write.box)
        },
        Refusal(testDescription: "a list of another length", member: "l2.box") { write, _, _ in
            write = L2EntryWrite(generation: 2, number: 2, box: write.box + [UInt8](repeating: 0, count: 96))
        },
        Refusal(testDescription: "a box of another generation", member: "l2.box") { write, _, _ in
            var box = write.box
            box[5] = 1
            write = L2EntryWrite(generation: 2, number: 2, box: box)
        },
    ])
    func whatDoesNotFitIsRefusedAndChangesNothing(_ refusal: Refusal) async throws {
        try await begin()
        var (write, envelopes, _) = try await renewed()
        refusal.change(&write, &envelopes, field)
        let before = try await node.entries.view(id, as: owner)
        let boxes = try await node.l2Values(of: id, as: owner).map(\.value.box)
        let error = await thrown { [write, envelopes] in try await rekey(write, envelopes) } as? VaultError
        if let member = refusal.member {
            guard case .invalid(member, _)? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
        } else {
            #expect(error == refusal.error)
        }
        #expect(try await node.entries.view(id, as: owner) == before)
        #expect(try await node.l2Values(of: id, as: owner).map(\.value.box) == boxes)
    }

    @Test func aSkippedNumberIsRefused() async throws {
        try await begin()
        var skipped = L2Writer(next, after: old.key)
        skipped = L2Writer(next, after: skipped.key)
        let envelope = skipped.key.seal(Array("two".utf8), field: field, version: 2)
        let error = await thrown { try await rekey(skipped.write, [Self.current(field): envelope]) }
        #expect(error as? VaultError == .l2KeyChanged)
    }

    @Test func ofTwoClientsThatRekeyOnlyOneSucceeds() async throws {
        try await begin()
        let both = [try await renewed(), try await renewed()]
        let errors = await withTaskGroup(of: (any Error)?.self) { group in
            for one in both { group.addTask { await thrown { try await rekey(one.write, one.envelopes) } } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(errors.count { $0 == nil } == 1)
        #expect(errors.count { $0 as? VaultError == .l2KeyChanged } == 1)
        let row = try #require(try await node.entries.view(id, as: owner).l2)
        let key = try next.l2.open(row.box, entry: id, number: row.number)
        for item in try await node.l2Values(of: id, as: owner) {
            let place = item.value.place
            #expect(throws: Never.self) { try key.open(item.value.box, field: place.field, version: place.version) }
        }
    }

    @Test func aChangeBetweenReadingAndRekeyingIsNotLost() async throws {
        try await begin()
        let (write, envelopes, _) = try await renewed()
        _ = try await node.entries.update(id, ifVersion: 2, EntryEdit(title: "new"), as: owner)
        let error = await thrown { try await rekey(write, envelopes) }
        #expect(error as? VaultError == .changedSince(version: 3))
    }

    /// A client that does not know of the rekey, and one that forgets to rekey the entry first.
    @Test func staleWritesAreRefused() async throws {
        try await begin()
        var stale = old
        let edit = EntryEdit(fields: [stale.field(field, "lost", label: nil, version: 3)], l2: stale.write)
        #expect(
            await thrown { try await node.entries.update(id, ifVersion: 2, edit, as: owner) } as? VaultError
                == .l2KeyChanged)
        let (write, envelopes, _) = try await renewed()
        var early = L2Writer(next, after: old.key)
        let soon = EntryEdit(fields: [early.field(field, "early", label: nil, version: 3)], l2: early.write)
        #expect(
            await thrown { try await node.entries.update(id, ifVersion: 2, soon, as: owner) } as? VaultError
                == .l2KeyChanged)
        try await rekey(write, envelopes)
        #expect(
            await thrown { try await node.entries.update(id, ifVersion: 2, edit, as: owner) } as? VaultError
                == .l2KeyChanged)
        // What is not about L2 needs no key.
        _ = try await node.entries.update(id, ifVersion: 2, EntryEdit(title: "new"), as: owner)
    }

    @Test func whileNoRekeyRunsNoEntryIsRekeyed() async throws {
        let (write, envelopes, _) = try await renewed(ada)
        let error = await thrown { try await rekey(write, envelopes) }
        #expect(error as? VaultError == .l2KeyChanged)
    }

    // MARK: Somebody who writes to the file

    /// The envelope of the same field and version under the old key.
    @Test func anEnvelopeOfTheOldKeyThatIsPutBackIsRefused() async throws {
        let file = try node.file()
        try file.script("CREATE TEMP TABLE kept AS SELECT * FROM main.value WHERE tier = 2")
        try await begin()
        let (write, envelopes, _) = try await renewed()
        try await rekey(write, envelopes)
        try file.script("INSERT OR REPLACE INTO main.value SELECT * FROM temp.kept")
        for attacked in [node, try TestVault(opening: node.scratch, root: node.root, moments: node.moments)] {
            let error = await thrown { try await attacked.entries.read(field, of: id, as: owner) }
            #expect(isDamage(error), "\(error as Any)")
        }
        #expect(try await node.verification().findings != [])
    }

    @Test func aRowOfTheOldGenerationThatIsPutBackIsRefused() async throws {
        let file = try node.file()
        try file.script("CREATE TEMP TABLE kept AS SELECT * FROM main.l2_entry")
        try await begin()
        let (write, envelopes, _) = try await renewed()
        try await rekey(write, envelopes)
        try file.script("INSERT OR REPLACE INTO main.l2_entry SELECT * FROM temp.kept")
        let error = await thrown { try await node.entries.view(id, as: owner) }
        #expect(error as? VaultError == .vaultDamaged)
    }

    /// A rekey must not end while a row is hidden.
    @Test(arguments: ["DELETE FROM l2_entry WHERE entry = ", "UPDATE l2_entry SET g = 2 WHERE entry = "])
    func aHiddenRowKeepsTheRekeyFromEnding(_ sql: String) async throws {
        let other = EntryID.random()
        var writer = L2Writer(ada, entry: other)
        let hidden = writer.field(.random())
        _ = try await node.entries.create(
            EntryEdit(title: "other", fields: [hidden], l2: writer.write), id: other, as: owner)
        try await begin()
        let (write, envelopes, _) = try await renewed()
        try node.file().script(sql + "x'\(other.bytes.hex)'")
        let error = await thrown { try await rekey(write, envelopes) }
        #expect(error as? VaultError == .vaultDamaged)
        #expect(try node.count("SELECT COUNT(*) FROM account WHERE l2_previous IS NULL") == 0)
    }
}
