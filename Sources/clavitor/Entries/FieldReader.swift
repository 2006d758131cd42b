import Vault
import Wire

/// Reads field values; opens L2 ones with the password.
struct FieldReader {
    let signedIn: SignedIn

    /// A field's value, now or as it was in `version`.
    func value(of field: FieldBody, in entry: EntryBody, at version: Int? = nil) async throws -> String {
        guard let entryID = EntryID(text: entry.id), let fieldID = FieldID(text: field.id) else {
            throw CommandFailure(.failed, "The node gave something that is no id.")
        }
        let request = NodeRequest(.get, "api/v1/entries", entry.id, "fields", field.id).with("version", version)
        let answer = try await signedIn.send(request, as: FieldValueBody.self)
        guard answer.id == field.id, answer.version <= version ?? .max else {
            throw CommandFailure(.failed, "The node gave another field or version than asked for.")
        }
        if version == nil, answer.version < field.version {
            throw CommandFailure(.failed, "The node gave an older value than the entry's list names.")
        }
        let envelope: String
        switch (answer.value, answer.envelope) {
        case (let value?, nil) where field.tier == 1:
            return value
        case (let value?, nil) where version != nil:
            // An older version may be from before the field became L2.
            signedIn.workspace.terminal.note("In version \(answer.version) this field was not yet L2.")
            return value
        case (nil, let box?):
            envelope = box
        default:
            // What the list calls L2 is never taken in the clear: the node would have made it up.
            throw CommandFailure(.failed, "The node gave no L2 value where one was asked for; do not trust the answer.")
        }
        let key = try await signedIn.l2Key()
        do throws(L2Failure) {
            return try key.open(envelope, entry: entryID, field: fieldID, version: answer.version)
        } catch {
            throw CommandFailure(error)
        }
    }
}
