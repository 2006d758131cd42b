import Auth
import HTTPServing
import Hummingbird
import Vault
import VaultFormat
import Wire

/// A parsed request that creates, deposits or changes an entry. The body is parsed in one piece, because it may have four megabytes.
struct EntryWriteRequest: Sendable {
    let id: EntryID?
    let edit: EntryEdit
    /// The idempotent request, where it creates something and carries an `Idempotency-Key`; otherwise nil.
    let idempotentRequest: IdempotencyRecords.Request?

    enum Purpose: Sendable {
        case creation, deposit
        case replacement(of: EntryID)
        case patch(of: EntryID)

        /// Checks the members that only some requests may or must have.
        ///
        /// - Throws: `malformed`.
        fileprivate func check(_ body: EntryWriteBody, id: EntryID?) throws(Problem) {
            switch self {
            case .creation: break
            case .deposit:
                if id != nil { throw .malformed("id", "must be absent, because the node chooses it") }
                if body.l2 != nil { throw .malformed("l2", "must be absent, because a deposit has no L2 fields") }
            case .replacement(let own), .patch(let own):
                if let id, id != own { throw .malformed("id", "must be absent or the entry's own") }
            }
            if case .replacement = self, body.fields == nil {
                throw .malformed("fields", "is required, because PUT removes what it does not contain; PATCH keeps it")
            }
        }

        fileprivate var replacesFields: Bool { if case .patch = self { false } else { true } }

        fileprivate var mayRepeat: Bool {
            switch self {
            case .creation, .deposit: true
            case .replacement, .patch: false
            }
        }
    }

    init(_ request: Request, _ context: SignedInContext, for purpose: Purpose) async throws {
        let key = purpose.mayRepeat ? request.headers[.idempotencyKey] : nil
        self = try await context.parsing { [text = context.body, path = request.uri.path] in
            let body: EntryWriteBody = try JSONText.decode(text)
            let id = try body.id.map { text throws(Problem) in
                guard let id = EntryID(text: text) else { throw .malformed("id", "must be 16 bytes in base64url") }
                return id
            }
            try purpose.check(body, id: id)
            return EntryWriteRequest(
                id: id, edit: try EntryEdit(body, replacesFields: purpose.replacesFields),
                idempotentRequest: try IdempotencyRecords.Request(key: key, path: path, body: text))
        }
    }

    private init(id: EntryID?, edit: EntryEdit, idempotentRequest: IdempotencyRecords.Request?) {
        (self.id, self.edit, self.idempotentRequest) = (id, edit, idempotentRequest)
    }
}
