import Crypto
import Encoding
import VaultFormat
import Wire

// The keys of L2 values in the form of the API. In plain form they are never written to disk and never sent.

extension L2Key {
    init(_ body: L2Body, by wrapKey: SymmetricKey, vault: VaultID) throws(L2Failure) {
        guard let box = Base64URL.decode(body.wrappedKey) else { throw .notABox }
        self = try L2Failure.reporting { () throws(BoxError) in
            try L2Key(wrapped: box, by: wrapKey, vault: vault, generation: body.generation)
        }
    }

    /// Wraps the key for storage at the node.
    func body(for wrapKey: SymmetricKey) -> L2Body {
        L2Body(generation: generation, wrappedKey: Base64URL.encode(wrapped(by: wrapKey)))
    }

    func previous(_ text: String) throws(L2Failure) -> L2Key {
        guard let box = Base64URL.decode(text) else { throw .notABox }
        return try L2Failure.reporting { () throws(BoxError) in try previous(in: box) }
    }

    func text(ofPrevious old: L2Key) -> String { Base64URL.encode(sealed(previous: old)) }

    /// Opens the key of an entry's L2 values.
    func open(_ body: L2EntryBody, of entry: EntryID) throws(L2Failure) -> L2EntryKey {
        guard let number = UInt32(exactly: body.key), let box = Base64URL.decode(body.box) else { throw .notABox }
        return try L2Failure.reporting { () throws(BoxError) in try open(box, entry: entry, number: number) }
    }

    func body(of entry: L2EntryKey) -> L2EntryBody {
        L2EntryBody(generation: generation, key: Int(entry.number), box: Base64URL.encode(sealed(entry)))
    }
}

extension L2EntryKey {
    /// Encrypts a value for the version that the write creates.
    func seal(_ value: String, field: FieldID, version: Int) throws(L2Failure) -> String {
        let text = Array(value.utf8)
        guard PaddedPlaintext.encode(text).count <= Self.largestPlaintext else {
            throw .tooLong(limit: Self.largestPlaintext)
        }
        return Base64URL.encode(seal(text, field: field, version: version))
    }

    /// Decrypts a value of the requested field and version; never of those in the response, because a malicious node could then
    /// substitute one password for another.
    func open(_ envelope: String, field: FieldID, version: Int) throws(L2Failure) -> String {
        guard let box = Base64URL.decode(envelope) else { throw .notABox }
        let value = try L2Failure.reporting { () throws(BoxError) in
            try open(box, field: field, version: version)
        }
        guard let text = String(validating: value, as: UTF8.self) else { throw .notText }
        return text
    }

    /// What fits into the node's limit of 128 KiB per envelope.
    private static let largestPlaintext = 131_072
}

/// An error when encrypting or decrypting an L2 value or one of its keys.
enum L2Failure: Error, Equatable, Sendable {
    case notABox
    /// Another password, or a value of another entry, field or version.
    case wrongKeyOrPlace
    case damaged
    case notText
    case tooLong(limit: Int)

    static func reporting<R>(_ open: () throws(BoxError) -> R) throws(L2Failure) -> R {
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
