import Crypto
import Encoding
import FoundationEssentials
package import Vault
import VaultFormat

/// Answers to creating requests with an `Idempotency-Key`, for clients that lost the first.
///
/// Boxed under the principal's own wrap key: a token in an answer rests as safely as what it opens.
package struct IdempotencyRecords: Sendable {
    private let store: any AccountStore
    private let now: @Sendable () -> Int64
    /// Seconds for which answers are kept.
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
        /// `content`: Everything that makes the request what it is: path and body.
        package init(key: String, content: [UInt8]) {
            self.key = Array(SHA256.hash(data: Array(key.utf8)))
            digest = Array(SHA256.hash(data: content))
        }
    }

    /// The answer given before, if there was one.
    ///
    /// - Throws: `AuthError.invalid` when the key came with another request.
    package func load(_ request: Request, as principal: Principal) throws -> [UInt8]? {
        guard let stored = try store.answer(to: request.key, of: principal.holder.id) else { return nil }
        let plaintext = try Box.open(stored.box, key: principal.holder.wrapKey, context: context(request, principal))
        guard constantTimeEqual(plaintext.prefix(32), request.digest) else {
            throw AuthError.invalid("Idempotency-Key", "was used for another request")
        }
        return Array(plaintext.dropFirst(32))
    }

    /// What records the answer, for the commit of what is answered.
    package func record(of answer: [UInt8], to request: Request, as principal: Principal) -> Mutation {
        let box = Box.seal(request.digest + answer, key: principal.holder.wrapKey, context: context(request, principal))
        return .recordIdempotency(
            IdempotencyRecord(holder: principal.holder.id, key: request.key, box: box, created: now()))
    }

    private func context(_ request: Request, _ principal: Principal) -> Context {
        Context("answer", principal.vault.bytes, principal.holder.id.bytes, request.key)
    }
}
