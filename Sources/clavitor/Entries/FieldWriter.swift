import Console
import OneTimePasswords
import VaultFormat
import Wire

/// Converts field options into request bodies, and encrypts L2 values.
struct FieldWriter {
    let signedIn: SignedIn
    let entry: EntryID
    /// The version that the write creates; every envelope is bound to it.
    let version: Int
    /// Labels of L2 fields that the user moves to L1.
    var toL1: Set<String> = []

    /// A new field.
    func added(_ input: FieldInput) async throws -> FieldWriteBody {
        let id = FieldID.random()
        var field = FieldWriteBody(id: id.text, label: input.label, kind: input.kind.rawValue, tier: input.isL2 ? 2 : 1)
        try await fill(&field, with: input, id, isL2: input.isL2)
        return field
    }

    /// A new value of an existing field. Sends only the value unless the tier changes, because agents may change nothing else.
    func changed(_ old: FieldBody, _ input: FieldInput) async throws -> FieldWriteBody {
        let mayBeL1 = toL1.contains(old.label.lowercased())
        guard let id = FieldID(text: old.id) else {
            throw CommandFailure(.failed, "The node sent an invalid id.")
        }
        if old.tier == 2, !input.isL2, !mayBeL1 {
            throw CommandFailure(
                .usage, "\"\(old.label.printable)\" is L2; its value must not be sent in plain text.",
                hint: "--l2 \"\(old.label)\" keeps it L2; adding --to-l1 \"\(old.label)\" moves it to L1.")
        }
        let isL2 = input.isL2 && !mayBeL1
        var field = FieldWriteBody(id: id.text)
        if isL2 != (old.tier == 2) { field.tier = isL2 ? 2 : 1 }
        // A seed in a field of another kind: codes require the kind totp.
        if input.kind == .totp, old.kind != FieldKind.totp.rawValue { field.kind = input.kind.rawValue }
        try await fill(&field, with: input, id, isL2: isL2)
        if isL2, old.tier == 1 {
            signedIn.context.terminal.note("\"\(old.label.printable)\" is L2 now; agents can no longer read it.")
        }
        return field
    }

    /// Moves the current value of an L2 field to L1.
    func lowered(_ old: FieldBody, in body: EntryBody) async throws -> FieldWriteBody {
        let value = try await FieldReader(signedIn: signedIn).value(of: old, in: body)
        return FieldWriteBody(id: old.id, tier: 1, value: value)
    }

    func sealed(_ value: String, _ field: FieldID) async throws -> String {
        let key = try await signedIn.l2Key()
        do throws(L2Failure) {
            return try key.seal(value, entry: entry, field: field, version: version)
        } catch {
            throw CommandFailure(error)
        }
    }

    private func fill(_ field: inout FieldWriteBody, with input: FieldInput, _ id: FieldID, isL2: Bool) async throws {
        guard isL2 else {
            field.value = try value(input)
            return
        }
        // Read the password first: on standard input it is the first line.
        _ = try await signedIn.l2Key()
        field.envelope = try await sealed(try value(input), id)
    }

    private func value(_ input: FieldInput) throws -> String {
        let value =
            switch input.content {
            case .text(let text): text
            case .secret(let origin): try signedIn.context.secrets.secret(input.label, from: origin)
            case .generated(let length): Generator.password(length: length)
            }
        guard !value.utf8.contains(0) else {
            throw CommandFailure(
                .usage, "The value of \"\(input.label.printable)\" contains a NUL.",
                hint: "Store binary data as base64.")
        }
        if input.kind == .totp, TOTP(value) == nil {
            throw CommandFailure(
                .usage, "This is not a TOTP seed.", hint: "A seed is base32 text or an otpauth:// URI.")
        }
        return value
    }
}
