import VaultFormat
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
        // The same field may be wanted twice, and is read once.
        var places: [ValuesReadBody.Place] = []
        var index: [ValuesReadBody.Place: Int] = [:]
        for field in fields {
            let place = ValuesReadBody.Place(entry: field.entry.id, field: field.field.id)
            if index[place] == nil {
                index[place] = places.count
                places.append(place)
            }
        }
        var answers: [FieldValueBody] = []
        for start in stride(from: 0, to: places.count, by: Self.mostAtOnce) {
            answers += try await read(places[start...].prefix(Self.mostAtOnce))
        }
        var values: [String] = []
        for field in fields {
            guard let found = index[.init(entry: field.entry.id, field: field.field.id)] else { continue }
            values.append(try await value(in: answers[found], of: field.field, in: field.entry, at: nil))
        }
        return values
    }

    private static let mostAtOnce = 64

    private func read(_ places: ArraySlice<ValuesReadBody.Place>) async throws -> [FieldValueBody] {
        let request = NodeRequest(.post, "api/v1/values", body: ValuesReadBody(values: Array(places)))
        let answer: ValuesBody
        do {
            answer = try await signedIn.send(request, as: ValuesBody.self)
        } catch let problem as Problem where problem.member == "values" && places.count > 1 {
            // Together they are more than one answer holds.
            let half = places.count / 2
            return try await read(places.prefix(half)) + read(places.dropFirst(half))
        }
        guard answer.values.count == places.count else {
            throw CommandFailure(.failed, "The node gave another number of values than asked for.")
        }
        return answer.values
    }

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
