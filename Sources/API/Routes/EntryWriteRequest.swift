import Auth
import HTTPServing
import Hummingbird
import Vault
import VaultFormat
import Wire

/// A parsed request that creates or changes an entry. The body is parsed in one piece, because it may have four megabytes.
struct EntryWriteRequest: Sendable {
    let id: EntryID?
    let edit: EntryEdit
    /// The idempotent request, where it creates something and carries an `Idempotency-Key`; otherwise nil.
    let idempotentRequest: IdempotencyRecords.Request?

    init(_ request: Request, _ context: SignedInContext, isCreation: Bool, replacesFields: Bool) async throws {
        let key = isCreation ? request.headers[.idempotencyKey] : nil
        self = try await context.parsing { [text = context.body, path = request.uri.path] in
            let body: EntryWriteBody = try JSONText.decode(text)
            let id = try body.id.map { text throws(Problem) in
                guard let id = EntryID(text: text) else { throw .malformed("id", "must be 16 bytes in base64url") }
                return id
            }
            return EntryWriteRequest(
                id: id, edit: try EntryEdit(body, replacesFields: replacesFields),
                idempotentRequest: try IdempotencyRecords.Request(key: key, path: path, body: text))
        }
    }

    private init(id: EntryID?, edit: EntryEdit, idempotentRequest: IdempotencyRecords.Request?) {
        (self.id, self.edit, self.idempotentRequest) = (id, edit, idempotentRequest)
    }
}
