package import Crypto
import Encoding
import Secrets

/// The account's key for L2 values in one generation (docs/FORMAT.md, "L2 keys"). Opens the keys of entries, and nothing else. Only clients
/// have it.
package struct L2Key: Sendable {
    package let vault: VaultID
    /// From 1. A replacement of the key is the next generation.
    package let generation: Int
    private let key: SymmetricKey

    /// Bytes of a wrapped key, under a companion key or under the next generation.
    package static let wrappedCount = 32 + Box.overhead
    /// The header of a secret box has four bytes for a generation.
    package static let generations = 1...Int(UInt32.max)

    /// Generates the first key of an account, or the next generation.
    package static func generate(for vault: VaultID, generation: Int) -> L2Key {
        L2Key(vault: vault, generation: generation, key: SymmetricKey(size: .bits256))
    }

    /// `key`: 32 bytes.
    package init(vault: VaultID, generation: Int, key: SymmetricKey) {
        self.vault = vault
        self.generation = generation
        self.key = key
    }

    // MARK: The copy for a password, a kit or a passkey

    /// - Throws: As `Box.open`; `malformed` for a key that is not 32 bytes.
    package init(
        wrapped box: [UInt8], by companion: SymmetricKey, vault: VaultID, generation: Int
    ) throws(BoxError) {
        let key = try Box.openKey(box, key: companion, context: Self.context(vault, generation))
        guard key.bitCount == 256 else { throw .malformed }
        self.init(vault: vault, generation: generation, key: key)
    }

    package func wrapped(by companion: SymmetricKey) -> [UInt8] {
        Box.seal(key, key: companion, context: Self.context(vault, generation))
    }

    private static func context(_ vault: VaultID, _ generation: Int) -> Context {
        Context("l2key", vault.bytes, Int64(generation).bigEndianBytes)
    }

    // MARK: The previous generation, while entries are rekeyed

    /// The secret box of the previous generation's key, for as long as some entries are not rekeyed.
    package func sealed(previous: L2Key) -> [UInt8] {
        Box.seal(previous.key, key: key, context: previousContext)
    }

    /// - Throws: As `Box.open`; `malformed` for a key that is not 32 bytes.
    package func previous(in box: [UInt8]) throws(BoxError) -> L2Key {
        let old = try Box.openKey(box, key: key, context: previousContext)
        guard old.bitCount == 256 else { throw .malformed }
        return L2Key(vault: vault, generation: generation - 1, key: old)
    }

    private var previousContext: Context {
        Context("l2-previous", vault.bytes, Int64(generation).bigEndianBytes)
    }

    // MARK: Entries

    /// The secret box of an entry's key with the list of its L2 fields. Its key id is the generation.
    package func sealed(_ entry: L2EntryKey) -> [UInt8] {
        Box.seal(
            entry.plaintext, key: key, context: entry.context, keyID: UInt32(truncatingIfNeeded: generation))
    }

    /// Opens an entry's row.
    ///
    /// `number`: The row's `k`.
    /// - Throws: As `Box.open`; `malformed` for another generation's, `damaged` for a plaintext that is none.
    package func open(_ box: [UInt8], entry: EntryID, number: UInt32) throws(BoxError) -> L2EntryKey {
        guard try Int(Box.keyID(of: box)) == generation else { throw .malformed }
        let context = L2EntryKey.context(vault, entry, number)
        var plaintext = try Box.open(box, key: key, context: context)
        defer { wipe(&plaintext) }
        guard let opened = L2EntryKey(plaintext: plaintext, vault: vault, entry: entry, number: number) else {
            throw .damaged
        }
        return opened
    }
}
