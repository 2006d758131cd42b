import Crypto
import SQLite
import Storage
import TestSupport
import Testing
import Vault
import VaultFormat

private struct ValueFile: Decodable {
    struct Value: Decodable, CustomTestStringConvertible {
        var label: String
        var kind: FieldKind
        var value: String
        var content: Hex
        var testDescription: String { "\(kind) \(value.prefix(8))" }
    }
    var values: [Value]

    static func load() throws -> ValueFile { try Vectors.load("padding.json") }
}

/// What a node stores of an L1 value.
@Suite struct ValueVectorTests {
    @Test(arguments: try ValueFile.load().values)
    private func aValueIsStoredAsTheFormatSays(_ example: ValueFile.Value) async throws {
        let node = try TestVault()
        let owner = try await node.owner()
        let field = EntryEdit.Field(label: example.label, kind: example.kind, content: .value(example.value))
        let entry = try await node.entries.create(
            EntryEdit(title: "t", type: .note, fields: [field]), id: nil, as: owner)
        let id = try #require(entry.fields.first?.id)
        let part = try #require(try node.store.part(id, of: entry.id, in: owner.vault, for: Reader(owner)))
        let key = try owner.holder.unwrap(try #require(part.wrap), root: node.root)
        let plaintext = try Box.open(part.value.box, key: key, context: part.value.place.valueContext)
        #expect(plaintext.hex == PaddedPlaintext.encode(example.content.bytes).hex)
        #expect(try await node.value(id, of: entry.id, as: owner) == example.value)
    }

    /// Damage of any kind, sealed under the right key.
    @Test func anythingElseIsDamage() async throws {
        let node = try TestVault()
        let owner = try await node.owner()
        let entry = try await node.entries.create(.login(), id: nil, as: owner)
        let id = entry.field("password")
        let part = try #require(try node.store.part(id, of: entry.id, in: owner.vault, for: Reader(owner)))
        let key = try owner.holder.unwrap(try #require(part.wrap), root: node.root)
        let whole = [0, 1] + Array("l".utf8) + [6] + Array("secret".utf8) + Array("v".utf8)
        let contents =
            (0..<(whole.count - 1)).map { Array(whole.prefix($0)) } + [
                [0, 1, 0xff, 6] + Array("secretv".utf8), [0, 1] + Array("l".utf8) + [4] + Array("none".utf8),
                [0xff, 0xff] + whole, whole + [0xc3],
            ]
        for plaintext in contents.map(PaddedPlaintext.encode) + [whole, PaddedPlaintext.encode(whole) + [0]] {
            let box = Box.seal(plaintext, key: key, context: part.value.place.valueContext)
            try node.file().run("UPDATE value SET box = ? WHERE field = ?", .blob(box), .blob(id.bytes))
            let error = await thrown { try await node.value(id, of: entry.id, as: owner) }
            #expect(isDamage(error), "\(plaintext.hex): \(String(describing: error))")
        }
        let box = Box.seal(PaddedPlaintext.encode(whole), key: key, context: part.value.place.valueContext)
        try node.file().run("UPDATE value SET box = ? WHERE field = ?", .blob(box), .blob(id.bytes))
        #expect(try await node.value(id, of: entry.id, as: owner) == "v")
    }
}
