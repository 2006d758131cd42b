import Auth
import Crypto
import SQLite
import Storage
import TestSupport
import Testing
import Vault
import VaultFormat

/// The keys of entries' L2 values: what the node checks of a box that it cannot open.
@Suite struct L2EntryTests {
    let node: TestVault
    let ada = Person()
    let owner: Principal
    let id = EntryID.random()
    let field = FieldID.random()
    private let first: L2Writer

    init() async throws {
        node = try TestVault()
        owner = try await node.owner(ada)
        var writer = L2Writer(ada, entry: id)
        let l2 = writer.field(field, "one")
        _ = try await node.entries.create(EntryEdit(title: "Card", fields: [l2], l2: writer.write), id: id, as: owner)
        first = writer
    }

    private func update(_ version: Int, _ edit: EntryEdit) async throws {
        _ = try await node.entries.update(id, ifVersion: version, edit, as: owner)
    }

    private func row() async throws -> L2EntryRow? { try await node.entries.view(id, as: owner).l2 }

    // MARK: Writing

    @Test func viewAndListsHaveTheRowForTheOwnerAlone() async throws {
        let row = try #require(try await row())
        #expect(row.number == 1 && row.generation == 1)
        #expect(try ada.l2.open(row.box, entry: id, number: 1).fields == [field: 1])
        #expect(try await node.entries.list(limit: 9, as: owner).entries.map(\.l2) == [row])
        #expect(try await node.entries.search(.init(titles: ["card"]), limit: 9, as: owner).entries.map(\.l2) == [row])
        try await node.entries.trash(id, ifVersion: nil, as: owner)
        #expect(try await node.entries.list(.trashed, limit: 9, as: owner).entries.map(\.l2) == [row])
        #expect(try await node.entries.untrash(id, as: owner).l2 == row)
        let plain = try await node.entries.create(.login(), id: nil, as: owner)
        #expect(plain.l2 == nil)
    }

    @Test func aChangeReplacesTheRowInTheSameCommit() async throws {
        var writer = first
        let (other, edit) = (FieldID.random(), EntryEdit())
        var change = edit
        change.fields = [
            writer.field(field, "two", label: nil, version: 2), writer.field(other, "new", label: "other", version: 2),
        ]
        change.l2 = writer.write
        try await update(1, change)
        let row = try #require(try await row())
        #expect(try ada.l2.open(row.box, entry: id, number: 1).fields == [field: 2, other: 2])
        #expect(try await node.verification().findings == [])
    }

    struct Refusal: CustomTestStringConvertible {
        var testDescription: String
        var error: VaultError?
        var member: String?
        var change: @Sendable (inout EntryEdit, L2Writer) -> Void
    }

    /// The row of `writer` with one thing changed.
    private static func write(
        _ writer: L2Writer, generation: Int? = nil, number: UInt32? = nil, _ change: (inout [UInt8]) -> Void = { _ in }
    ) -> L2EntryWrite {
        var box = writer.write.box
        change(&box)
        return L2EntryWrite(
            generation: generation ?? writer.l2Key.generation, number: number ?? writer.key.number, box: box)
    }

    @Test(arguments: [
        Refusal(testDescription: "no row", member: "l2") { edit, _ in edit.l2 = nil },
        Refusal(testDescription: "a later generation", error: .l2KeyChanged) {
            $0.l2 = write($1, generation: 2) { $0[5] = 2 }
        },
        Refusal(testDescription: "another number", error: .l2KeyChanged) { $0.l2 = write($1, number: 2) },
        Refusal(testDescription: "a box of another generation", member: "l2.box") { $0.l2 = write($1) { $0[5] = 2 } },
        Refusal(testDescription: "a box that is none", member: "l2.box") { $0.l2 = write($1) { $0[0] = 1 } },
        Refusal(testDescription: "an empty box", member: "l2.box") { $0.l2 = write($1) { $0 = [] } },
        Refusal(testDescription: "a longer list", member: "l2.box") { edit, writer in
            var writer = writer
            writer.key.fields[.random()] = 1
            writer.key.fields[.random()] = 1
            edit.l2 = writer.write
        },
        Refusal(testDescription: "an envelope of another number", member: "fields.envelope") { edit, writer in
            guard case .envelope(var box)? = edit.fields[0].content else { return }
            box[5] = 2
            edit.fields[0].content = .envelope(box)
        },
    ])
    func aWriteThatDoesNotFitIsRefusedAndChangesNothing(_ refusal: Refusal) async throws {
        let before = try await row()
        var writer = first
        var edit = EntryEdit(fields: [writer.field(field, "two", label: nil, version: 2)], l2: writer.write)
        refusal.change(&edit, writer)
        let error = await thrown { [edit] in try await update(1, edit) } as? VaultError
        if let member = refusal.member {
            guard case .invalid(member, _)? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
        } else {
            #expect(error == refusal.error)
        }
        let after = try await node.entries.view(id, as: owner)
        #expect(after.version == 1 && after.l2 == before)
    }

    @Test func aNewEntryBeginsWithNumberOne() async throws {
        let entry = EntryID.random()
        var writer = L2Writer(ada, after: L2EntryKey.generate(for: entry, in: ada.vault))
        let l2 = writer.field(.random())
        let error = await thrown {
            try await node.entries.create(
                EntryEdit(title: "x", fields: [l2], l2: writer.write), id: entry, as: owner)
        }
        #expect(error as? VaultError == .l2KeyChanged)
    }

    @Test func anEntryWithoutL2FieldsGetsNoRow() async throws {
        let plain = try await node.entries.create(.login(), id: nil, as: owner)
        let writer = L2Writer(ada, entry: plain.id)
        let error = await thrown {
            try await node.entries.update(plain.id, ifVersion: 1, EntryEdit(title: "x", l2: writer.write), as: owner)
        }
        guard case .invalid("l2", _)? = error as? VaultError else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    /// An owner who does not have the key can still take a field away; the list then names one that is gone.
    @Test func aRemovalNeedsNoKey() async throws {
        let before = try await row()
        try await update(1, EntryEdit(fields: [.init(id: field, isRemoved: true)]))
        let view = try await node.entries.view(id, as: owner)
        #expect(view.fields.isEmpty && view.l2 == before)
        // Its number stays, so that no key of the entry is used twice.
        var writer = first
        writer.key.fields = [:]
        let edit = EntryEdit(fields: [writer.field(.random(), version: 3)], l2: writer.write)
        try await update(2, edit)
        #expect(try await row()?.number == 1)
    }

    /// Otherwise the list would call a field L2 whose value the node has in the clear.
    @Test func aFieldThatLeavesL2IsTakenOffTheList() async throws {
        let lowered = EntryEdit.Field(id: field, tier: .l1, content: .value("plain"))
        let error = await thrown { try await update(1, EntryEdit(fields: [lowered])) }
        guard case .invalid("l2", _)? = error as? VaultError else {
            Issue.record("\(String(describing: error))")
            return
        }
        var writer = first
        writer.key.fields = [:]
        try await update(1, EntryEdit(fields: [lowered], l2: writer.write))
        #expect(try await node.entries.view(id, as: owner).fields.map(\.tier) == [.l1])
    }

    @Test func anAgentWritesNoRow() async throws {
        let entry = try await node.entries.create(.login(tags: ["t"]), id: nil, as: owner)
        let agent = try await node.principal(
            try await node.agent(grants: [.tag("t")], policy: AgentPolicy(verbs: [.read, .write]), as: owner))
        var edit = EntryEdit.value("new", of: entry.field("password"))
        edit.l2 = first.write
        let error = await thrown { try await node.entries.update(entry.id, ifVersion: 1, edit, as: agent) }
        #expect(error as? VaultError == .ownerOnly)
    }

    @Test func twoClientsThatAddTheFirstFieldDoNotBothSucceed() async throws {
        let plain = try await node.entries.create(.login(), id: nil, as: owner)
        let writers = (0..<2).map { _ in L2Writer(ada, entry: plain.id) }
        let outcomes = await withTaskGroup(of: (any Error)?.self) { group in
            for writer in writers {
                group.addTask {
                    var writer = writer
                    let edit = EntryEdit(fields: [writer.field(.random(), version: 2)], l2: writer.write)
                    return await thrown {
                        try await node.entries.update(plain.id, ifVersion: 1, edit, as: owner)
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.count { $0 == nil } == 1)
        #expect(outcomes.count { $0 as? VaultError == .changedSince(version: 2) } == 1)
        // Row and envelope are of the same client.
        let view = try await node.entries.view(plain.id, as: owner)
        let row = try #require(view.l2)
        let key = try ada.l2.open(row.box, entry: plain.id, number: 1)
        for (hidden, version) in key.fields {
            guard case .envelope(let box) = try await node.entries.read(hidden, of: plain.id, as: owner).content else {
                Issue.record("no envelope")
                return
            }
            #expect(throws: Never.self) { try key.open(box, field: hidden, version: version) }
        }
        #expect(key.fields.count == 1)
    }

    /// Sixteen values of 128 KiB are just too many.
    @Test func theValuesOfAnEntryAreBounded() async throws {
        let entry = EntryID.random()
        var writer = L2Writer(ada, entry: entry)
        let long = String(repeating: "x", count: 120_000)
        let fields = (0..<15).map { writer.field(.random(), long, label: "\($0)") }
        _ = try await node.entries.create(EntryEdit(title: "x", fields: fields, l2: writer.write), id: entry, as: owner)
        let more = EntryEdit(
            fields: (0..<2).map { writer.field(.random(), long, label: "more \($0)", version: 2) }, l2: writer.write)
        let error = await thrown { try await node.entries.update(entry, ifVersion: 1, more, as: owner) }
        guard case .invalid("fields", let why)? = error as? VaultError else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(why.contains("2 MiB"))
    }

    @Test func rowsCountTowardsTheQuotaAndGoWithTheEntry() async throws {
        let count = { try node.count("SELECT COUNT(*) FROM l2_entry") }
        #expect(try count() == 1)
        #expect(try await node.verification().findings == [])
        try await node.entries.trash(id, ifVersion: nil, as: owner)
        try await node.entries.purge(id, as: owner)
        #expect(try count() == 0)
        #expect(try await node.verification().findings == [])
    }

    @Test func aClosedAccountLeavesNoRow() async throws {
        try await node.accounts.delete(as: owner)
        #expect(try node.count("SELECT COUNT(*) FROM l2_entry") == 0)
        #expect(try await node.verification().findings == [])
    }
}
