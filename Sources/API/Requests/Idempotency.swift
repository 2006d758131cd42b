import Auth
import HTTPServing
import HTTPTypes
import Hummingbird
import Vault
import Wire

extension Request {
    /// The idempotent request of an `Idempotency-Key` header; nil without the header.
    func idempotentRequest(_ body: [UInt8]) throws(Problem) -> IdempotencyRecords.Request? {
        try IdempotencyRecords.Request(key: headers[.idempotencyKey], path: uri.path, body: body)
    }
}

extension IdempotencyRecords.Request {
    /// Binds the key to the path and a digest of the body. Nil without a key.
    init?(key: String?, path: String, body: [UInt8]) throws(Problem) {
        guard let key else { return nil }
        guard (1...128).contains(key.utf8.count) else {
            throw .malformed("Idempotency-Key", "must have 1 to 128 bytes")
        }
        self.init(key: key, content: Array(path.utf8) + [0] + body)
    }
}

extension IdempotencyRecords {
    /// Returns the recorded response, or performs the request and returns its response. Of two concurrent requests with the
    /// same key one performs; the other gets its response.
    func respondOnce(
        to request: Request, as principal: Principal, perform: () async throws -> [UInt8]
    ) async throws -> Response {
        if let recorded = try load(request, as: principal) { return Response(bytes: recorded, status: .created) }
        do {
            return Response(bytes: try await perform(), status: .created)
        } catch let error as VaultError where error != .principalGone {
            // The other may have taken the last use, the last room or the entry's id as well.
            guard let recorded = try load(request, as: principal) else { throw error }
            return Response(bytes: recorded, status: .created)
        }
    }
}
