import Auth
import HTTPTypes
import Hummingbird
import Vault
import Wire

extension Request {
    /// The request as something to be answered once, if it carries an `Idempotency-Key`.
    func remembered(_ body: [UInt8]) throws(Problem) -> RememberedAnswers.Request? {
        try RememberedAnswers.Request(key: headers[.idempotencyKey], path: uri.path, body: body)
    }
}

extension RememberedAnswers.Request {
    /// Nil without a key. Digests the body.
    init?(key: String?, path: String, body: [UInt8]) throws(Problem) {
        guard let key else { return nil }
        guard (1...128).contains(key.utf8.count) else {
            throw .malformed("Idempotency-Key", "must have 1 to 128 characters")
        }
        self.init(key: key, content: Array(path.utf8) + [0] + body)
    }
}

extension RememberedAnswers {
    /// Answers from memory, or performs and remembers. Two at once: one performs, the other gets its answer.
    func once(
        _ request: Request, as caller: Caller, perform: () async throws -> [UInt8]
    ) async throws -> Response {
        if let answer = try recall(request, as: caller) { return Response(json: answer, status: .created) }
        do {
            return Response(json: try await perform(), status: .created)
        } catch VaultError.entryExists {
            guard let answer = try recall(request, as: caller) else { throw VaultError.entryExists }
            return Response(json: answer, status: .created)
        }
    }
}
