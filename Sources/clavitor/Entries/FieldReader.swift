import Vault
import Wire

/// Reads field values; opens L2 ones with the password.
struct FieldReader {
    let signedIn: SignedIn

    /// A field's value, now or as it was in `version`.
    func value(of field: FieldBody, in entry: EntryBody, at version: Int? = nil) async throws -> String {
        let request = NodeRequest(.get, "api/v1/entries", entry.id, "fields", field.id).with("version", version)
        let answer = try await signedIn.send(request, as: FieldValueBody.self)
        return try await value(in: answer, of: field, in: entry, at: version)
    }

    /// The values of several fields now, in their order.
    func values(of fields: [(entry: EntryBody, field: FieldBody)]) async throws -> [String] {
        if fields.count == 1 { return [try await value(of: fields[0].field, in: fields[0].entry)] }
        var values: [String] = []
        for start in stride(from: 0, to: fields.count, by: Self.mostAtOnce) {
            let part = fields[start...].prefix(Self.mostAtOnce)
            let body = ValuesReadBody(values: part.map { .init(entry: $0.entry.id, field: $0.field.id) })
            let answer = try await signedIn.send(NodeRequest(.post, "api/v1/values", body: body), as: ValuesBody.self)
            guard answer.values.count == part.count else {
                throw CommandFailure(.failed, "The node gave another number of values than asked for.")
            }
            for (found, place) in zip(answer.values, part) {
                values.append(try await value(in: found, of: place.field, in: place.entry, at: nil))
            }
        }
        return values
    }

    private static let mostAtOnce = 64

    /// What an answer holds, once it is what was asked for.
    private func value(
        in answer: FieldValueBody, of field: FieldBody, in entry: EntryBody, at version: Int?
    ) async throws -> String {
        guard let entryID = EntryID(text: entry.id), let fieldID = FieldID(text: field.id) else {
            throw CommandFailure(.failed, "The node gave something that is no id.")
        }
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
