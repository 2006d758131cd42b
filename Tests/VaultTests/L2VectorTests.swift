import Crypto
import Secrets
import TestSupport
import Testing
import VaultFormat

private struct L2File: Decodable {
    struct Box: Decodable {
        var box: Hex
        var plaintext: Hex
        var context: Hex
        var keyId: UInt32
    }
    struct Row: Decodable {
        var name: String
        var box: Hex
        var plaintext: Hex
        var generation: Int
    }
    struct Plaintext: Decodable {
        var name: String
        var plaintext: Hex
    }
    struct Field: Decodable {
        var field: Hex
        var version: Int
        var value: String
        var key: Hex
        var envelope: Hex
    }
    var vault: Hex
    var entry: Hex
    var generation: Int
    var l2Key: Hex
    var previousKey: Hex
    var companionKey: Hex
    var number: UInt32
    var entryKey: Hex
    var wrapped: Box
    var previous: Box
    var rows: [Row]
    var otherGeneration: Row
    var malformedPlaintexts: [Plaintext]
    var fields: [Field]
}

/// The client's keys of L2 values, both ways: what Python made opens, and what this code makes has the same contexts and plaintexts.
@Suite struct L2VectorTests {
    private let file: L2File
    private let vault: VaultID
    private let entry: EntryID
    private let l2Key: L2Key

    init() throws {
        file = try Vectors.load("l2.json")
        vault = try #require(VaultID(file.vault.bytes))
        entry = try #require(EntryID(file.entry.bytes))
        l2Key = L2Key(vault: vault, generation: file.generation, key: SymmetricKey(data: file.l2Key.bytes))
    }

    private var companion: SymmetricKey { SymmetricKey(data: file.companionKey.bytes) }

    private func entryKey(_ fields: [FieldID: Int] = [:]) -> L2EntryKey {
        L2EntryKey(
            vault: vault, entry: entry, number: file.number, fields: fields,
            key: SymmetricKey(data: file.entryKey.bytes))
    }

    /// Opens a secret box with the parts of its derivation as Python gives them.
    private func open(_ box: [UInt8], _ key: [UInt8], _ context: Context) throws -> [UInt8] {
        try Box.open(box, key: SymmetricKey(data: key), context: context)
    }

    @Test func theWrappedKeyOpensAndIsBoundToVaultAndGeneration() throws {
        let box = file.wrapped.box.bytes
        let opened = try L2Key(wrapped: box, by: companion, vault: vault, generation: file.generation)
        // Only the same key opens the rows.
        #expect(throws: Never.self) { try opened.open(file.rows[0].box.bytes, entry: entry, number: file.number) }
        #expect(throws: BoxError.wrongKeyOrContext) {
            try L2Key(wrapped: box, by: companion, vault: vault, generation: file.generation - 1)
        }
        #expect(throws: BoxError.wrongKeyOrContext) {
            try L2Key(wrapped: box, by: companion, vault: .random(), generation: file.generation)
        }
        let made = l2Key.wrapped(by: companion)
        #expect(made.count == L2Key.wrappedCount && made.count == box.count)
        let context = Context("l2key", vault.bytes, [0, 0, 0, 0, 0, 0, 0, UInt8(file.generation)])
        #expect(context.bytes.hex == file.wrapped.context.hex)
        #expect(try open(made, file.companionKey.bytes, context).hex == file.l2Key.hex)
    }

    @Test func thePreviousKeyOpensUnderTheNext() throws {
        let previous = try l2Key.previous(in: file.previous.box.bytes)
        #expect(previous.generation == file.generation - 1)
        #expect(throws: Never.self) {
            try previous.open(file.otherGeneration.box.bytes, entry: entry, number: file.number)
        }
        let made = l2Key.sealed(previous: previous)
        let context = Context("l2-previous", vault.bytes, [0, 0, 0, 0, 0, 0, 0, UInt8(file.generation)])
        #expect(context.bytes.hex == file.previous.context.hex)
        #expect(try open(made, file.l2Key.bytes, context).hex == file.previousKey.hex)
    }

    @Test func aRowOpensToItsKeyAndList() throws {
        let counts = [0, 1, 3]
        for (row, count) in zip(file.rows, counts) {
            let opened = try l2Key.open(row.box.bytes, entry: entry, number: file.number)
            #expect(opened.fields.count == count, "\(row.name)")
            #expect(row.box.bytes.count == L2EntryKey.boxCount(fields: count), "\(row.name)")
            let made = l2Key.sealed(opened)
            #expect(try Box.keyID(of: made) == UInt32(file.generation))
            let context = Context("l2-entry", vault.bytes, entry.bytes, [0, 0, 0, UInt8(file.number)])
            #expect(try open(made, file.l2Key.bytes, context).hex == row.plaintext.hex, "\(row.name)")
        }
        let all = try l2Key.open(file.rows[2].box.bytes, entry: entry, number: file.number)
        for field in file.fields { #expect(all.fields[try #require(FieldID(field.field.bytes))] == field.version) }
    }

    @Test func aRowIsBoundToGenerationEntryAndNumber() throws {
        let box = file.rows[1].box.bytes
        #expect(throws: BoxError.malformed) {
            try l2Key.open(file.otherGeneration.box.bytes, entry: entry, number: file.number)
        }
        #expect(throws: BoxError.wrongKeyOrContext) { try l2Key.open(box, entry: .random(), number: file.number) }
        #expect(throws: BoxError.wrongKeyOrContext) { try l2Key.open(box, entry: entry, number: file.number + 1) }
        for count in 0..<box.count {
            #expect(throws: BoxError.self, "\(count) bytes") {
                try l2Key.open(Array(box.prefix(count)), entry: entry, number: file.number)
            }
        }
    }

    @Test func aPlaintextThatIsNoRowIsDamage() throws {
        let context = Context("l2-entry", vault.bytes, entry.bytes, [0, 0, 0, UInt8(file.number)])
        func box(_ plaintext: [UInt8]) -> [UInt8] {
            Box.seal(
                plaintext, key: SymmetricKey(data: file.l2Key.bytes), context: context,
                keyID: UInt32(file.generation))
        }
        for example in file.malformedPlaintexts {
            #expect(throws: BoxError.damaged, "\(example.name)") {
                try l2Key.open(box(example.plaintext.bytes), entry: entry, number: file.number)
            }
        }
        let good = file.rows[2].plaintext.bytes
        for count in 0..<good.count {
            #expect(throws: BoxError.damaged, "\(count) bytes") {
                try l2Key.open(box(Array(good.prefix(count))), entry: entry, number: file.number)
            }
        }
    }

    @Test func aValueOpensUnderItsFieldsKey() throws {
        let key = entryKey()
        for field in file.fields {
            let id = try #require(FieldID(field.field.bytes))
            #expect(key.fieldKey(id).bytes.hex == field.key.hex)
            let value = try key.open(field.envelope.bytes, field: id, version: field.version)
            #expect(String(decoding: value, as: UTF8.self) == field.value)
            let made = key.seal(Array(field.value.utf8), field: id, version: field.version)
            #expect(try Box.keyID(of: made) == file.number)
            let context = FieldPlace(vault: vault, entry: entry, field: id, tier: .l2, version: field.version)
            let (ours, theirs) = (
                try open(made, field.key.bytes, context.valueContext),
                try open(field.envelope.bytes, field.key.bytes, context.valueContext)
            )
            #expect(ours == theirs)
        }
    }

    @Test func aValueIsBoundToFieldVersionAndKey() throws {
        let (first, second) = (file.fields[0], file.fields[1])
        let (id, other) = (try #require(FieldID(first.field.bytes)), try #require(FieldID(second.field.bytes)))
        let key = entryKey()
        #expect(throws: BoxError.wrongKeyOrContext) {
            try key.open(first.envelope.bytes, field: id, version: first.version + 1)
        }
        #expect(throws: BoxError.wrongKeyOrContext) {
            try key.open(first.envelope.bytes, field: other, version: first.version)
        }
        // An older key of the same entry, with the same bytes.
        let older = L2EntryKey(
            vault: vault, entry: entry, number: file.number - 1, fields: [:],
            key: SymmetricKey(data: file.entryKey.bytes))
        #expect(throws: BoxError.wrongKeyOrContext) {
            try older.open(first.envelope.bytes, field: id, version: first.version)
        }
        for count in 0..<first.envelope.bytes.count {
            #expect(throws: BoxError.self) {
                try key.open(Array(first.envelope.bytes.prefix(count)), field: id, version: first.version)
            }
        }
    }
}
