import Crypto
import SQLite
import Storage
import TestSupport
import Testing
import Vault
import VaultFormat

private struct ValueFile: Decodable {
    struct Field: Decodable, CustomTestStringConvertible {
        var label: String
        var kind: FieldKind
        var value: String
        var content: Hex
        var about: Hex
        var testDescription: String { "\(kind) \(value.prefix(8))" }
    }
    var fields: [Field]

    static func load() throws -> ValueFile { try Vectors.load("padding.json") }
}

/// What a node stores of an L1 field.
@Suite struct ValueVectorTests {
    @Test(arguments: try ValueFile.load().fields)
    private func aFieldIsStoredAsTheFormatSays(_ example: ValueFile.Field) async throws {
        let node = try TestVault()
        let owner = try await node.owner()
        let field = EntryEdit.Field(label: example.label, kind: example.kind, content: .value(example.value))
        let entry = try await node.entries.create(
            EntryEdit(title: "t", type: .note, fields: [field]), id: nil, as: owner)
        let id = try #require(entry.fields.first?.id)
        for (part, content) in [(FieldPart.value, example.content), (.about, example.about)] {
            let part = try #require(
                try node.store.part(PartID(id, part), of: entry.id, in: owner.vault, for: Reader(owner)))
            let key = try owner.holder.unwrap(try #require(part.wrap), root: node.root)
            let plaintext = try Box.open(part.value.box, key: key, context: part.value.place.valueContext)
            #expect(plaintext.hex == PaddedPlaintext.encode(content.bytes).hex)
        }
        #expect(try await node.value(id, of: entry.id, as: owner) == example.value)
    }

    /// Damage of any kind, sealed under the right key.
    @Test func anythingElseIsDamage() async throws {
        let node = try TestVault()
        let owner = try await node.owner()
        let entry = try await node.entries.create(.login(), id: nil, as: owner)
        let id = entry.field("password")
        let whole = [6] + Array("secret".utf8) + Array("label".utf8)
        let contents: [FieldPart: [[UInt8]]] = [
            .value: [[0xff], Array("v".utf8) + [0xc3]],
            .about: (0..<7).map { Array(whole.prefix($0)) } + [
                [4] + Array("nonelabel".utf8), [0xff] + whole, [6] + Array("secret".utf8) + [0xc3],
            ],
        ]
        for (part, contents) in contents {
            let stored = try #require(
                try node.store.part(PartID(id, part), of: entry.id, in: owner.vault, for: Reader(owner)))
            let key = try owner.holder.unwrap(try #require(stored.wrap), root: node.root)
            func write(_ plaintext: [UInt8]) throws {
                let box = Box.seal(plaintext, key: key, context: stored.value.place.valueContext)
                try node.file().run(
                    "UPDATE value SET box = ? WHERE field = ? AND part = ?", .blob(box), .blob(id.bytes),
                    .integer(Int64(part.rawValue)))
            }
            for plaintext in contents.map(PaddedPlaintext.encode) + [whole, PaddedPlaintext.encode(whole) + [0]] {
                try write(plaintext)
                let error = await thrown { try await node.value(id, of: entry.id, as: owner) }
                #expect(isDamage(error), "\(part) \(plaintext.hex): \(String(describing: error))")
            }
            try write(PaddedPlaintext.encode(whole))
        }
        let content = try await node.entries.read(id, of: entry.id, as: owner)
        #expect(content.field.label == "label" && content.content == .value("\u{6}secretlabel"))
    }
}
