import Crypto
import Encoding
import FoundationEssentials
import VaultFormat

/// The account's key for L2 values, in plain form. Never written to disk and never sent.
struct L2Key: Sendable {
    let vault: VaultID
    private let key: SymmetricKey

    /// Generates the key of a new account or of `l2 rekey`.
    static func generate(for vault: VaultID) -> L2Key {
        L2Key(vault: vault, key: SymmetricKey(size: .bits256))
    }

    private init(vault: VaultID, key: SymmetricKey) {
        self.vault = vault
        self.key = key
    }

    /// Unwraps a key that `wrapped` made with the same wrap key and vault.
    init(wrapped: String, by wrapKey: SymmetricKey, vault: VaultID) throws(L2Failure) {
        guard let box = Base64URL.decode(wrapped) else { throw .notABox }
        let opened = try Self.open(box, key: wrapKey, context: Context("l2key", vault.bytes))
        guard opened.count == 32 else { throw .notABox }
        self.init(vault: vault, key: SymmetricKey(data: opened))
    }

    /// Wraps the key for storage at the node.
    func wrapped(by wrapKey: SymmetricKey) -> String {
        Base64URL.encode(Box.seal(key.bytes, key: wrapKey, context: Context("l2key", vault.bytes)))
    }

    /// Encrypts a value for the version that the write creates.
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

    /// Decrypts a value of the requested entry, field and version; never of those in the response, because a malicious node could
    /// then substitute one password for another.
    func open(_ envelope: String, entry: EntryID, field: FieldID, version: Int) throws(L2Failure) -> String {
        guard let box = Base64URL.decode(envelope) else { throw .notABox }
        let plaintext = try Self.open(box, key: key, context: context(entry, field, version))
        do {
            return try JSONDecoder().decode(L2Text.self, from: Data(plaintext)).value
        } catch {
            throw .notText
        }
    }

    /// The maximum JSON size that fits into the node's limit of 128 KiB per envelope.
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

/// An error when encrypting or decrypting an L2 value or the l2Key.
enum L2Failure: Error, Equatable, Sendable {
    case notABox
    /// Another password, or a value of another entry, field or version.
    case wrongKeyOrPlace
    case damaged
    case notText
    case tooLong(limit: Int)
}

/// The plaintext of an L2 value; its name is part of the format.
private struct L2Text: Codable {
    var value: String
}
