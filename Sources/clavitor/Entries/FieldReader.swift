import VaultFormat
import Wire

/// Reads field values, and decrypts L2 values with the password.
struct FieldReader {
    let signedIn: SignedIn

    /// The current value of a field, or its value in `version`.
    func value(of field: FieldBody, in entry: EntryBody, at version: Int? = nil) async throws -> String {
        let request = NodeRequest(.get, "api/v1/entries", entry.id, "fields", field.id).with("version", version)
        let answer = try await signedIn.send(request, as: FieldValueBody.self)
        return try await value(in: answer, of: field, in: entry, at: version)
    }

    /// The current values of several fields, in order.
    func values(of fields: [(entry: EntryBody, field: FieldBody)]) async throws -> [String] {
        if fields.count == 1 { return [try await value(of: fields[0].field, in: fields[0].entry)] }
        // A field requested twice is read once.
        var requested: [ValuesReadBody.Field] = []
        var index: [ValuesReadBody.Field: Int] = [:]
        for field in fields {
            let place = ValuesReadBody.Field(entry: field.entry.id, field: field.field.id)
            if index[place] == nil {
                index[place] = requested.count
                requested.append(place)
            }
        }
        var answers: [FieldValueBody] = []
        for start in stride(from: 0, to: requested.count, by: Self.maxPerRequest) {
            answers += try await read(requested[start...].prefix(Self.maxPerRequest))
        }
        // First, so that the list of L2 fields is known before a value that the node calls L1 is accepted.
        if fields.contains(where: { $0.field.tier == 2 }) { _ = try await signedIn.passwordKeys() }
        var values: [String] = []
        for field in fields {
            guard let found = index[.init(entry: field.entry.id, field: field.field.id)] else { continue }
            values.append(try await value(in: answers[found], of: field.field, in: field.entry, at: nil))
        }
        return values
    }

    private static let maxPerRequest = 64

    private func read(_ requested: ArraySlice<ValuesReadBody.Field>) async throws -> [FieldValueBody] {
        let request = NodeRequest(.post, "api/v1/values", body: ValuesReadBody(values: Array(requested)))
        let answer: ValuesBody
        do {
            answer = try await signedIn.send(request, as: ValuesBody.self)
        } catch let problem as Problem where problem.member == "values" && requested.count > 1 {
            // The values exceed the size of one response.
            let half = requested.count / 2
            return try await read(requested.prefix(half)) + read(requested.dropFirst(half))
        }
        guard answer.values.count == requested.count else {
            throw CommandFailure(.failed, "The node sent another number of values than requested.")
        }
        return answer.values
    }

    /// Verifies that the response matches the request, and returns the value.
    private func value(
        in answer: FieldValueBody, of field: FieldBody, in entry: EntryBody, at version: Int?
    ) async throws -> String {
        guard let fieldID = FieldID(text: field.id) else {
            throw CommandFailure(.failed, "The node sent an invalid id.")
        }
        guard answer.id == field.id, answer.version <= version ?? .max else {
            throw CommandFailure(.failed, "The node sent another field or version than requested.")
        }
        if version == nil, answer.version < field.version {
            throw CommandFailure(.failed, "The node sent an older value than the entry's version.")
        }
        // With the password at hand, also a value that the node calls L1 is compared with the owner's list of L2 fields.
        if field.tier == 1, entry.l2 != nil, !signedIn.isAgent, signedIn.hasKeys {
            _ = try await signedIn.l2EntryKey(of: entry)
        }
        let envelope: String
        switch (answer.value, answer.envelope) {
        case (let value?, nil) where field.tier == 1:
            return value
        case (let value?, nil) where version != nil:
            // An older version may predate the move to L2.
            signedIn.context.terminal.note("In version \(answer.version) this field was L1.")
            return value
        case (nil, let box?):
            envelope = box
        default:
            // A plain value of an L2 field is never accepted: it did not come from the owner.
            throw CommandFailure(.failed, "The node sent a plain value for an L2 field; do not trust it.")
        }
        let key =
            version == nil
            ? try await signedIn.l2EntryKey(of: entry) : try await signedIn.pastL2EntryKey(of: entry)
        do throws(L2Failure) {
            return try key.open(envelope, field: fieldID, version: answer.version)
        } catch {
            throw CommandFailure(error)
        }
    }
}
