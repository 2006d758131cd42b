import Crypto
import TestSupport
import Testing
import Vault
import VaultFormat

/// Validation of `EntryEdit`, tested by creating entries.
@Suite struct EntryEditTests {
    struct Case: CustomTestStringConvertible {
        var testDescription: String
        var edit: EntryEdit
        /// The invalid member; nil when the edit is valid.
        var fault: String?
        /// Whether it comes with the entry's L2 key.
        var isL2 = false
    }

    private static func text(_ count: Int) -> String { String(repeating: "x", count: count) }
    private static func field(_ edit: (inout EntryEdit.Field) -> Void) -> EntryEdit {
        var field = EntryEdit.Field(label: "label", content: .value("value"))
        edit(&field)
        return EntryEdit(title: "title", fields: [field])
    }
    private static let id = FieldID.random()
    private static let envelope = Box.seal(
        [1], key: .init(size: .bits256), context: Context("value"), keyID: 1)

    static let cases = [
        Case(testDescription: "a title of 1,024 bytes", edit: EntryEdit(title: text(1_024)), fault: nil),
        Case(testDescription: "a longer title", edit: EntryEdit(title: text(1_025)), fault: "title"),
        Case(
            testDescription: "bytes count, not characters", edit: EntryEdit(title: String(repeating: "ü", count: 513)),
            fault: "title"),
        Case(testDescription: "no title", edit: EntryEdit(), fault: "title"),
        Case(testDescription: "an empty title", edit: EntryEdit(title: ""), fault: "title"),
        Case(testDescription: "a title of spaces", edit: EntryEdit(title: " \n\t"), fault: "title"),
        Case(testDescription: "NUL in the title", edit: EntryEdit(title: "a\0b"), fault: "title"),
        Case(testDescription: "notes of 64 KiB", edit: EntryEdit(title: "t", notes: text(65_536)), fault: nil),
        Case(testDescription: "longer notes", edit: EntryEdit(title: "t", notes: text(65_537)), fault: "notes"),
        Case(testDescription: "64 URLs", edit: EntryEdit(title: "t", urls: (0..<64).map { "\($0)" }), fault: nil),
        Case(testDescription: "65 URLs", edit: EntryEdit(title: "t", urls: (0..<65).map { "\($0)" }), fault: "urls"),
        Case(testDescription: "a long URL", edit: EntryEdit(title: "t", urls: [text(2_049)]), fault: "urls"),
        Case(testDescription: "64 tags", edit: EntryEdit(title: "t", tags: (0..<64).map { "\($0)" }), fault: nil),
        Case(testDescription: "65 tags", edit: EntryEdit(title: "t", tags: (0..<65).map { "\($0)" }), fault: "tags"),
        Case(testDescription: "a long tag", edit: EntryEdit(title: "t", tags: [text(129)]), fault: "tags"),
        Case(testDescription: "an empty tag", edit: EntryEdit(title: "t", tags: [""]), fault: "tags"),
        Case(testDescription: "the same tag twice", edit: EntryEdit(title: "t", tags: ["a", "a", "A"]), fault: nil),
        Case(testDescription: "a label of 256 bytes", edit: field { $0.label = text(256) }, fault: nil),
        Case(testDescription: "a longer label", edit: field { $0.label = text(257) }, fault: "fields.label"),
        Case(testDescription: "no label", edit: field { $0.label = nil }, fault: "fields.label"),
        Case(testDescription: "a value of 64 KiB", edit: field { $0.content = .value(text(65_536)) }, fault: nil),
        Case(
            testDescription: "a longer value", edit: field { $0.content = .value(text(65_537)) }, fault: "fields.value"),
        Case(testDescription: "NUL in a value", edit: field { $0.content = .value("\0") }, fault: "fields.value"),
        Case(testDescription: "no content", edit: field { $0.content = nil }, fault: "fields"),
        Case(testDescription: "an empty value", edit: field { $0.content = .value("") }, fault: nil),
        Case(testDescription: "the title's id", edit: field { $0.id = .title }, fault: "fields.id"),
        Case(testDescription: "the details' id", edit: field { $0.id = .details }, fault: "fields.id"),
        Case(testDescription: "tier 0", edit: field { $0.tier = .metadata }, fault: "fields.tier"),
        Case(
            testDescription: "an envelope in tier 1", edit: field { $0.content = .envelope(envelope) }, fault: "fields"),
        Case(
            testDescription: "a value in tier 2",
            edit: field {
                $0.tier = .l2; $0.id = id
            }, fault: "fields"),
        Case(
            testDescription: "L2",
            edit: field {
                $0.tier = .l2; $0.id = id; $0.content = .envelope(envelope)
            }, fault: nil, isL2: true),
        Case(
            testDescription: "L2 without id",
            edit: field {
                $0.tier = .l2; $0.content = .envelope(envelope)
            }, fault: "fields.id"),
        Case(
            testDescription: "an envelope that is not a secret box",
            edit: field {
                $0.tier = .l2; $0.id = id; $0.content = .envelope([1])
            }, fault: "fields.envelope"),
        Case(
            testDescription: "an envelope without a key id",
            edit: field {
                $0.tier = .l2; $0.id = id; $0.content = .envelope([2, 1, 0, 0, 0, 0] + envelope.dropFirst(6))
            }, fault: "fields.envelope"),
        Case(
            testDescription: "an envelope of 128 KiB",
            edit: field {
                $0.tier = .l2; $0.id = id;
                $0.content = .envelope([2, 1, 0, 0, 0, 1] + [UInt8](repeating: 1, count: 131_072 + 72))
            }, fault: nil, isL2: true),
        Case(
            testDescription: "a longer envelope",
            edit: field {
                $0.tier = .l2; $0.id = id;
                $0.content = .envelope([2, 1, 0, 0, 0, 1] + [UInt8](repeating: 1, count: 131_072 + 73))
            }, fault: "fields.envelope"),
        Case(
            testDescription: "the same id twice",
            edit: EntryEdit(
                title: "t",
                fields: [
                    .init(id: id, label: "a", content: .value("")), .init(id: id, label: "b", content: .value("")),
                ]),
            fault: "fields.id"),
        Case(
            testDescription: "128 fields",
            edit: EntryEdit(title: "t", fields: (0..<128).map { .init(label: "\($0)", content: .value("")) }),
            fault: nil),
        Case(
            testDescription: "129 fields",
            edit: EntryEdit(title: "t", fields: (0..<129).map { .init(label: "\($0)", content: .value("")) }),
            fault: "fields"),
    ]

    @Test(arguments: cases) func isBounded(_ example: Case) async throws {
        let node = try TestVault()
        let owner = try await node.owner()
        var edit = example.edit
        if example.isL2 {
            var writer = L2Writer(Person(), entry: .random())
            writer.key.fields = [Self.id: 1]
            edit.l2 = writer.write
        }
        let error = await thrown { [edit] in try await node.entries.create(edit, id: nil, as: owner) }
        guard let fault = example.fault else {
            #expect(error == nil)
            return
        }
        guard case .invalid(let member, _) = error as? VaultError else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(member == fault)
    }
}
