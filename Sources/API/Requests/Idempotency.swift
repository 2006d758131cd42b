import Auth
import HTTPTypes
import Hummingbird
import Vault
import Wire

extension Request {
    /// The request as something to be answered once, if it carries an `Idempotency-Key`.
    func remembered(_ body: [UInt8]) throws(Problem) -> IdempotencyRecords.Request? {
        try IdempotencyRecords.Request(key: headers[.idempotencyKey], path: uri.path, body: body)
    }
}

extension IdempotencyRecords.Request {
    /// Nil without a key. Digests the body.
    init?(key: String?, path: String, body: [UInt8]) throws(Problem) {
        guard let key else { return nil }
        guard (1...128).contains(key.utf8.count) else {
            throw .malformed("Idempotency-Key", "must have 1 to 128 characters")
        }
        self.init(key: key, content: Array(path.utf8) + [0] + body)
    }
}

extension IdempotencyRecords {
    /// The answer on record, or one that is made now. Two at once: one performs, the other gets its answer.
    func once(
        _ request: Request, as principal: Principal, perform: () async throws -> [UInt8]
    ) async throws -> Response {
        if let answer = try load(request, as: principal) { return Response(json: answer, status: .created) }
        do {
            return Response(json: try await perform(), status: .created)
        } catch VaultError.idempotencyKeyUsed {
            guard let answer = try load(request, as: principal) else { throw VaultError.idempotencyKeyUsed }
            return Response(json: answer, status: .created)
        }
    }
}
