package import Crypto
import Encoding
import Secrets

/// The key of one entry's L2 values, with the list of its L2 fields (docs/FORMAT.md, "L2 keys"). The list tells a client without memory
/// which fields are L2, and how new their values are.
package struct L2EntryKey: Sendable {
    package let vault: VaultID
    package let entry: EntryID
    /// `k`, from 1: the key id in the secret boxes of all of the entry's L2 values. A rekey makes the next one.
    package let number: UInt32
    /// The version of each current L2 value, by field.
    package var fields: [FieldID: Int]
    private let key: SymmetricKey

    package static func generate(
        for entry: EntryID, in vault: VaultID, number: UInt32 = 1, fields: [FieldID: Int] = [:]
    ) -> L2EntryKey {
        L2EntryKey(
            vault: vault, entry: entry, number: number, fields: fields, key: SymmetricKey(size: .bits256))
    }

    /// `key`: 32 bytes.
    package init(vault: VaultID, entry: EntryID, number: UInt32, fields: [FieldID: Int], key: SymmetricKey) {
        self.vault = vault
        self.entry = entry
        self.number = number
        self.fields = fields
        self.key = key
    }

    // MARK: Values

    /// Encrypts a value's text for one version.
    package func seal(_ value: [UInt8], field: FieldID, version: Int) -> [UInt8] {
        Box.seal(
            PaddedPlaintext.encode(value), key: fieldKey(field), context: context(field, version), keyID: number)
    }

    /// Decrypts the value of a field in one version.
    ///
    /// - Throws: As `Box.open`; `wrongKeyOrContext` for the value of another key of the entry, `damaged` for a plaintext that is none.
    package func open(_ envelope: [UInt8], field: FieldID, version: Int) throws(BoxError) -> [UInt8] {
        guard try Box.keyID(of: envelope) == number else { throw .wrongKeyOrContext }
        let plaintext = try Box.open(envelope, key: fieldKey(field), context: context(field, version))
        guard let value = PaddedPlaintext.decode(plaintext) else { throw .damaged }
        return value
    }

    /// A key of its own for each field, so that one field can be shared without the others.
    package func fieldKey(_ field: FieldID) -> SymmetricKey {
        key.derive(Context("l2-field", vault.bytes, entry.bytes, field.bytes))
    }

    private func context(_ field: FieldID, _ version: Int) -> Context {
        FieldPlace(vault: vault, entry: entry, field: field, tier: .l2, version: version).valueContext
    }

    // MARK: The row

    var context: Context { Self.context(vault, entry, number) }

    static func context(_ vault: VaultID, _ entry: EntryID, _ number: UInt32) -> Context {
        Context("l2-entry", vault.bytes, entry.bytes, number.bigEndianBytes)
    }

    /// Bytes of a row's secret box for a number of L2 fields.
    package static func boxCount(fields: Int) -> Int {
        Box.overhead + PaddedPlaintext.step(4 + 32 + 2 + fields * itemCount)
    }

    private static let itemCount = 24

    /// Padded: key (32), number of fields (2), and field (16) and version (8) of each, in the order of the ids.
    var plaintext: [UInt8] {
        var content = Array(key.bytes)
        defer { wipe(&content) }
        content += UInt16(fields.count).bigEndianBytes
        for (field, version) in fields.sorted(by: { $0.key < $1.key }) {
            content += field.bytes + Int64(version).bigEndianBytes
        }
        return PaddedPlaintext.encode(content)
    }

    /// Nil for bytes that are no row's plaintext: another length, a field twice or out of order, or a version that is none.
    init?(plaintext: [UInt8], vault: VaultID, entry: EntryID, number: UInt32) {
        guard var content = PaddedPlaintext.decode(plaintext) else { return nil }
        defer { wipe(&content) }
        guard content.count >= 34 else { return nil }
        let count = Int(content[32]) << 8 | Int(content[33])
        guard content.count == 34 + count * Self.itemCount else { return nil }
        var fields: [FieldID: Int] = [:]
        var last: FieldID?
        for start in stride(from: 34, to: content.count, by: Self.itemCount) {
            let version = content[start + 16..<start + 24].reduce(0) { $0 << 8 | UInt64($1) }
            guard let field = FieldID(Array(content[start..<start + 16])), last.map({ $0 < field }) ?? true,
                (1...1 << 53).contains(version)
            else { return nil }
            fields[field] = Int(version)
            last = field
        }
        self.init(
            vault: vault, entry: entry, number: number, fields: fields,
            key: SymmetricKey(data: content.prefix(32)))
    }
}
