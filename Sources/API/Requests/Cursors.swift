import Crypto
import Encoding
import Vault
import VaultFormat
import Wire

/// Makes the text with which a list goes on, and reads it.
///
/// A box under the node's key, bound to the principal and the list: it tells nobody how much the node stores for others, and
/// leads nowhere in another list.
struct Cursors: Sendable {
    private let key: SymmetricKey

    init(key: SymmetricKey) {
        self.key = key
    }

    /// `list`: What the list shows, with everything that selects from it.
    func encode(_ position: [Int64]?, _ list: String, _ principal: Principal) -> String? {
        position.map { position in
            Base64URL.encode(
                Box.seal(position.flatMap(\.bigEndianBytes), key: key, context: Self.context(list, principal)))
        }
    }

    /// Nil where the list begins.
    func decode(_ text: String?, count: Int = 1, _ list: String, _ principal: Principal) throws(Problem) -> [Int64]? {
        guard let text else { return nil }
        guard let box = Base64URL.decode(text),
            let bytes = try? Box.open(box, key: key, context: Self.context(list, principal)), bytes.count == count * 8
        else { throw .malformed("cursor", "must be what this list's page before gave as `next`") }
        return stride(from: 0, to: bytes.count, by: 8).map { start in
            bytes[start..<start + 8].reduce(0) { $0 << 8 | Int64($1) }
        }
    }

    private static func context(_ list: String, _ principal: Principal) -> Context {
        // What selects may be as long as a body; a part of a context may not.
        Context("cursor", principal.vault.bytes, principal.holder.id.bytes, Array(SHA256.hash(data: Array(list.utf8))))
    }
}

extension Identifier {
    /// The id as two numbers of a cursor.
    var numbers: [Int64] {
        let bytes: [UInt8] = bytes
        return stride(from: 0, to: bytes.count, by: 8).map { start in
            bytes[start..<start + 8].reduce(0) { $0 << 8 | Int64($1) }
        }
    }
}
