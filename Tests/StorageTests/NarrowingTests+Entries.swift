import Storage
import TestSupport
import Testing
import Vault
import VaultFormat

/// Changes of an entry. Those of an agent are in NarrowingTests.swift.
extension NarrowingTests {
    /// A change of an entry, and whether it is narrowing.
    struct Edit: CustomTestStringConvertible {
        var testDescription: String
        var narrows: Bool
        var edit: @Sendable (EntryView) -> EntryEdit
    }

    private static let edits = [
        Edit(testDescription: "one field fewer", narrows: true) {
            EntryEdit(fields: [.init(id: $0.field("password"), isRemoved: true)])
        },
        Edit(testDescription: "the same fields less one") {
            EntryEdit(fields: [.init(id: $0.field("password"))], replacesFields: true)
        },
        Edit(testDescription: "one tag fewer") { _ in EntryEdit(tags: ["home"]) },
        Edit(testDescription: "no tags, and all else as it is") {
            EntryEdit(
                title: $0.title, type: $0.type, urls: $0.details?.urls, tags: [], notes: $0.details?.notes)
        },
        Edit(testDescription: "one URL fewer") { _ in EntryEdit(urls: ["https://a.example"]) },
        Edit(testDescription: "a tag instead", narrows: false) { _ in EntryEdit(tags: ["home", "x"]) },
        Edit(testDescription: "one URL fewer, the other three times", narrows: false) { _ in
            EntryEdit(urls: ["https://a.example", "https://a.example", "https://a.example"])
        },
        Edit(testDescription: "a tag less, the other three times", narrows: false) { _ in
            EntryEdit(tags: ["home", "Home", "HOME"])
        },
        Edit(testDescription: "tags in another order", narrows: false) { _ in EntryEdit(tags: ["home", "Work"]) },
        Edit(testDescription: "a tag less, another title", narrows: false) { _ in EntryEdit(title: "x", tags: []) },
        Edit(testDescription: "a tag less, notes", narrows: false) { _ in EntryEdit(tags: [], notes: "x") },
        Edit(testDescription: "one tag fewer, one URL more", narrows: false) { _ in
            EntryEdit(urls: ["https://c.example"], tags: [])
        },
        Edit(testDescription: "a field less, one more", narrows: false) {
            EntryEdit(fields: [
                .init(id: $0.field("password"), isRemoved: true),
                .init(label: "pin", kind: .secret, content: .value("1")),
            ])
        },
        Edit(testDescription: "a tag less, a value", narrows: false) {
            EntryEdit(tags: [], fields: [.init(id: $0.field("password"), content: .value("1"))])
        },
        Edit(testDescription: "another label", narrows: false) {
            EntryEdit(fields: [.init(id: $0.field("password"), label: "x")])
        },
    ]

    @Test(arguments: [NodeHealth.Fault.damaged, .diskFull], edits)
    func anEntryIsNarrowed(_ fault: NodeHealth.Fault, _ edit: Edit) async throws {
        let before = try lines()
        node.health.note(fault)
        guard edit.narrows else {
            await #expect(throws: VaultError.readOnly(fault.rawValue)) {
                try await node.entries.update(bank.id, ifVersion: 1, edit.edit(bank), as: owner)
            }
            #expect(try lines() == before)
            return
        }
        let new = try await node.entries.update(bank.id, ifVersion: 1, edit.edit(bank), as: owner)
        #expect(new.version == 2)
        #expect(try lines() == before + 1)
        let held = try await node.store.places(of: robot.id, in: owner.vault).filter { $0.entry == bank.id }
        // The grant of the whole entry still applies to the title and the remaining fields.
        #expect(Set(held.map(\.field)) == Set(new.fields.map(\.id) + [.title]))
    }

    @Test func removingATagRevokesItsReaders() async throws {
        node.health.note(.damaged)
        _ = try await node.entries.update(mail.id, ifVersion: 1, EntryEdit(tags: []), as: owner)
        #expect(try await node.store.places(of: robot.id, in: owner.vault).allSatisfy { $0.entry == bank.id })
    }
}

extension NarrowingTests.Edit {
    init(testDescription: String, edit: @escaping @Sendable (EntryView) -> EntryEdit) {
        self.init(testDescription: testDescription, narrows: true, edit: edit)
    }
}
