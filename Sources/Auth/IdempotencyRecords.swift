import Crypto
import Encoding
import FoundationEssentials
package import Vault
import VaultFormat

/// Stored responses to creating requests with an `Idempotency-Key`, for clients that retry.
///
/// Encrypted under the principal's wrap key: a token in a response is protected as well as what it opens.
package struct IdempotencyRecords: Sendable {
    private let store: any AccountStore
    private let now: @Sendable () -> Int64
    /// Seconds after which a record expires.
    package static let lifetime: Int64 = 86_400

    package init(store: any AccountStore, now: @escaping @Sendable () -> Int64) {
        self.store = store
        self.now = now
    }

    /// A request that carries a key.
    package struct Request: Sendable {
        let key: [UInt8]
        let digest: [UInt8]

        /// `key`: The header's value.
        /// `content`: Everything that identifies the request: path and body.
        package init(key: String, content: [UInt8]) {
            self.key = Array(SHA256.hash(data: Array(key.utf8)))
            digest = Array(SHA256.hash(data: content))
        }
    }

    /// Loads the stored response to an earlier request with the same key.
    ///
    /// - Throws: `AuthError.invalid` when the key was used for another request.
    package func load(_ request: Request, as principal: Principal) throws -> [UInt8]? {
        guard let stored = try store.answer(to: request.key, of: principal.holder.id) else { return nil }
        let plaintext = try Box.open(stored.box, key: principal.holder.wrapKey, context: context(request, principal))
        guard constantTimeEqual(Array(plaintext.prefix(32)), request.digest) else {
            throw AuthError.invalid("Idempotency-Key", "was used for another request")
        }
        return Array(plaintext.dropFirst(32))
    }

    /// Returns the mutation that records the response, for the commit of the request itself.
    package func record(of answer: [UInt8], to request: Request, as principal: Principal) -> Mutation {
        let box = Box.seal(request.digest + answer, key: principal.holder.wrapKey, context: context(request, principal))
        return .recordIdempotency(
            IdempotencyRecord(holder: principal.holder.id, key: request.key, box: box, created: now()))
    }

    private func context(_ request: Request, _ principal: Principal) -> Context {
        Context("answer", principal.vault.bytes, principal.holder.id.bytes, request.key)
    }
}
