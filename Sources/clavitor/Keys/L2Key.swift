import Crypto
import Encoding
import FoundationEssentials
import VaultFormat

/// The account's key for L2 values, open. It is never written to disk and never sent.
struct L2Key: Sendable {
    let vault: VaultID
    private let key: SymmetricKey

    /// A new account's, or the next one after `l2 rekey`.
    static func generate(for vault: VaultID) -> L2Key {
        L2Key(vault: vault, key: SymmetricKey(size: .bits256))
    }

    private init(vault: VaultID, key: SymmetricKey) {
        self.vault = vault
        self.key = key
    }

    /// Opens the box that `wrapped` made under the same key for the same vault.
    init(wrapped: String, by wrapKey: SymmetricKey, vault: VaultID) throws(L2Failure) {
        guard let box = Base64URL.decode(wrapped) else { throw .notABox }
        let opened = try Self.open(box, key: wrapKey, context: Context("l2key", vault.bytes))
        guard opened.count == 32 else { throw .notABox }
        self.init(vault: vault, key: SymmetricKey(data: opened))
    }

    /// The key in its box, as the node keeps it.
    func wrapped(by wrapKey: SymmetricKey) -> String {
        Base64URL.encode(Box.seal(key.bytes, key: wrapKey, context: Context("l2key", vault.bytes)))
    }

    /// Encrypts a value for the entry's version that the write will make.
    func seal(_ value: String, entry: EntryID, field: FieldID, version: Int) throws(L2Failure) -> String {
        let plaintext: [UInt8]
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.withoutEscapingSlashes]
            plaintext = Array(try encoder.encode(L2Text(value: value)))
        } catch {
            throw .notText
        }
        guard plaintext.count <= Self.largestValue else { throw .tooLong(limit: Self.largestValue) }
        return Base64URL.encode(Box.seal(plaintext, key: key, context: context(entry, field, version)))
    }

    /// Opens a value at the place that was asked for. Never at one that the answer names: a node that mixes values up
    /// would otherwise decide which password is typed into which site.
    func open(_ envelope: String, entry: EntryID, field: FieldID, version: Int) throws(L2Failure) -> String {
        guard let box = Base64URL.decode(envelope) else { throw .notABox }
        let plaintext = try Self.open(box, key: key, context: context(entry, field, version))
        do {
            return try JSONDecoder().decode(L2Text.self, from: Data(plaintext)).value
        } catch {
            throw .notText
        }
    }

    /// Bytes of JSON that the node still takes, as the envelope of at most 128 KiB.
    private static let largestValue = 131_072

    private func context(_ entry: EntryID, _ field: FieldID, _ version: Int) -> Context {
        FieldPlace(vault: vault, entry: entry, field: field, tier: .l2, version: version).valueContext
    }

    private static func open(_ box: [UInt8], key: SymmetricKey, context: Context) throws(L2Failure) -> [UInt8] {
        do {
            return try Box.open(box, key: key, context: context)
        } catch {
            switch error {
            case .malformed: throw .notABox
            case .wrongKeyOrContext: throw .wrongKeyOrPlace
            case .damaged: throw .damaged
            }
        }
    }
}

/// Why an L2 value or the wrapped l2Key does not open, or cannot be made.
enum L2Failure: Error, Equatable, Sendable {
    case notABox
    /// Another password, or a box that belongs elsewhere.
    case wrongKeyOrPlace
    case damaged
    case notText
    case tooLong(limit: Int)
}

/// The plaintext of an L2 value; its name is part of the format.
private struct L2Text: Codable {
    var value: String
}
