package import Crypto
import Encoding
import HTTPServing
package import Vault
import VaultFormat
package import Wire

/// Encodes and decodes the pagination cursors of lists.
///
/// A cursor is a secret box under the node's key, bound to the principal and the list. It reveals no row number, and is
/// invalid in another list.
package struct Cursors: Sendable {
    private let key: SymmetricKey

    package init(key: SymmetricKey) {
        self.key = key
    }

    /// `list`: The list's name with all its filters.
    package func encode(_ position: [Int64]?, _ list: String, _ principal: Principal) -> String? {
        position.map { position in
            Base64URL.encode(
                Box.seal(position.flatMap(\.bigEndianBytes), key: key, context: Self.context(list, principal)))
        }
    }

    /// Returns nil without a cursor: the start of the list.
    package func decode(_ text: String?, count: Int = 1, _ list: String, _ principal: Principal) throws(Problem)
        -> [Int64]?
    {
        guard let text else { return nil }
        guard let box = Base64URL.decode(text),
            let bytes = try? Box.open(box, key: key, context: Self.context(list, principal)), bytes.count == count * 8
        else { throw .malformed("cursor", "must be the `next` of the previous page of this list") }
        return stride(from: 0, to: bytes.count, by: 8).map { start in
            bytes[start..<start + 8].reduce(0) { $0 << 8 | Int64($1) }
        }
    }

    private static func context(_ list: String, _ principal: Principal) -> Context {
        // Hashed, because filters may be as long as a body and a context part may not.
        Context("cursor", principal.vault.bytes, principal.id.bytes, Array(SHA256.hash(data: Array(list.utf8))))
    }
}

extension Identifier {
    /// Nil unless there are two integers.
    init?(numbers: some Collection<Int64>) { self.init(numbers.flatMap(\.bigEndianBytes)) }

    /// The id as two integers of a cursor.
    var numbers: [Int64] {
        let bytes: [UInt8] = bytes
        return stride(from: 0, to: bytes.count, by: 8).map { start in
            bytes[start..<start + 8].reduce(0) { $0 << 8 | Int64($1) }
        }
    }
}
