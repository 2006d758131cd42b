import Crypto
import Encoding
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
        let context = Context("l2key", vault.bytes)
        let key = try Self.reporting { () throws(BoxError) in try Box.openKey(box, key: wrapKey, context: context) }
        guard key.bitCount == 256 else { throw .notABox }
        self.init(vault: vault, key: key)
    }

    /// Wraps the key for storage at the node.
    func wrapped(by wrapKey: SymmetricKey) -> String {
        Base64URL.encode(Box.seal(key, key: wrapKey, context: Context("l2key", vault.bytes)))
    }

    /// Encrypts a value for the version that the write creates.
    func seal(_ value: String, entry: EntryID, field: FieldID, version: Int) throws(L2Failure) -> String {
        let plaintext = PaddedPlaintext.encode(Array(value.utf8))
        guard plaintext.count <= Self.largestPlaintext else { throw .tooLong(limit: Self.largestPlaintext) }
        return Base64URL.encode(Box.seal(plaintext, key: key, context: context(entry, field, version)))
    }

    /// Decrypts a value of the requested entry, field and version; never of those in the response, because a malicious node could
    /// then substitute one password for another.
    func open(_ envelope: String, entry: EntryID, field: FieldID, version: Int) throws(L2Failure) -> String {
        guard let box = Base64URL.decode(envelope) else { throw .notABox }
        let context = context(entry, field, version)
        let plaintext = try Self.reporting { () throws(BoxError) in try Box.open(box, key: key, context: context) }
        guard let content = PaddedPlaintext.decode(plaintext), let text = String(validating: content, as: UTF8.self)
        else {
            throw .notText
        }
        return text
    }

    /// What fits into the node's limit of 128 KiB per envelope.
    private static let largestPlaintext = 131_072

    private func context(_ entry: EntryID, _ field: FieldID, _ version: Int) -> Context {
        FieldPlace(vault: vault, entry: entry, field: field, tier: .l2, version: version).valueContext
    }

    private static func reporting<R>(_ open: () throws(BoxError) -> R) throws(L2Failure) -> R {
        do {
            return try open()
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
