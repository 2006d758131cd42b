import Crypto
import Encoding
import Secrets
import Testing
import VaultFormat
import Wire

@testable import clavitor

@Suite struct L2KeyTests {
    private struct EndToEndFile: Decodable {
        var account: Account
        var ids: IDs
        var version: Int
        var boxes: Boxes

        struct Account: Decodable {
            var password: String
            var salt: String
            var kdf: KDFBody
            var origin: String
            var authKey: String
        }

        struct IDs: Decodable {
            var vault: String
            var entry: String
            var l2Field: String
        }

        struct Boxes: Decodable {
            var l2Key: Box
            var l2Entry: Box
            var l2Value: Box
        }

        struct Box: Decodable {
            var box: String
        }
    }

    private let file: EndToEndFile
    private let vault: VaultID
    private let entry: EntryID
    private let field: FieldID

    init() throws {
        file = try vectors("end-to-end")
        vault = try #require(VaultID(bytes(hex: file.ids.vault)))
        entry = try #require(EntryID(bytes(hex: file.ids.entry)))
        field = try #require(FieldID(bytes(hex: file.ids.l2Field)))
    }

    @Test func aValueRoundTripsFromThePassword() throws {
        let master = try KDFParameters(file.account.kdf).masterKey(
            of: Password(file.account.password), salt: bytes(hex: file.account.salt))
        let keys = AccountKeys(masterKey: master, origin: file.account.origin)
        #expect(Array(keys.authKey.bytes) == bytes(hex: file.account.authKey))
        let wrapped = L2Body(generation: 1, wrappedKey: Base64URL.encode(bytes(hex: file.boxes.l2Key.box)))
        let l2Key = try L2Key(wrapped, by: keys.l2WrapKey, vault: vault)
        let row = L2EntryBody(generation: 1, key: 1, box: Base64URL.encode(bytes(hex: file.boxes.l2Entry.box)))
        let key = try l2Key.open(row, of: entry)
        #expect(key.fields == [field: file.version])
        let envelope = Base64URL.encode(bytes(hex: file.boxes.l2Value.box))
        let value = try key.open(envelope, field: field, version: file.version)
        #expect(value == "4111 1111 1111 1111")
    }

    @Test func aValueIsBoundToItsEntryFieldAndVersion() throws {
        let key = L2EntryKey.generate(for: entry, in: vault)
        let envelope = try key.seal("päss/\u{1f511}", field: field, version: 4)
        let value = try key.open(envelope, field: field, version: 4)
        #expect(value == "päss/\u{1f511}")
        #expect(throws: L2Failure.wrongKeyOrPlace) { try key.open(envelope, field: field, version: 5) }
        #expect(throws: L2Failure.wrongKeyOrPlace) { try key.open(envelope, field: .random(), version: 4) }
        #expect(throws: L2Failure.wrongKeyOrPlace) {
            try L2EntryKey.generate(for: entry, in: vault).open(envelope, field: field, version: 4)
        }
    }

    @Test func aWrappedKeyIsBoundToItsVaultAndGeneration() throws {
        let wrapKey = SymmetricKey(size: .bits256)
        var wrapped = L2Key.generate(for: vault, generation: 3).body(for: wrapKey)
        #expect(try L2Key(wrapped, by: wrapKey, vault: vault).generation == 3)
        #expect(throws: L2Failure.wrongKeyOrPlace) { try L2Key(wrapped, by: wrapKey, vault: .random()) }
        wrapped.generation = 2
        #expect(throws: L2Failure.wrongKeyOrPlace) { try L2Key(wrapped, by: wrapKey, vault: vault) }
        for text in ["", "not base64!"] {
            wrapped.wrappedKey = text
            #expect(throws: L2Failure.notABox) { try L2Key(wrapped, by: wrapKey, vault: vault) }
        }
    }

    @Test func thePreviousKeyIsFoundUnderTheNext() throws {
        let (old, new) = (L2Key.generate(for: vault, generation: 1), L2Key.generate(for: vault, generation: 2))
        let row = old.body(of: .generate(for: entry, in: vault))
        #expect(throws: L2Failure.notABox) { try new.open(row, of: entry) }
        #expect(throws: Never.self) { try new.previous(new.text(ofPrevious: old)).open(row, of: entry) }
        #expect(throws: L2Failure.wrongKeyOrPlace) {
            try L2Key.generate(for: vault, generation: 2).previous(new.text(ofPrevious: old))
        }
    }

    @Test func noTruncatedEnvelopeOpens() throws {
        let key = L2EntryKey.generate(for: entry, in: vault)
        let box = try #require(Base64URL.decode(try key.seal("hunter2", field: field, version: 1)))
        for count in 0..<box.count {
            let cut = Base64URL.encode(box.prefix(count))
            #expect(throws: L2Failure.self) { try key.open(cut, field: field, version: 1) }
        }
    }

    @Test func anOversizedValueIsRejectedLocally() {
        let key = L2EntryKey.generate(for: entry, in: vault)
        #expect(throws: L2Failure.tooLong(limit: 131_072)) {
            try key.seal(String(repeating: "x", count: 131_072), field: field, version: 1)
        }
    }
}
