import Console
import OneTimePasswords
import VaultFormat
import Wire

/// Turns what the options say into what the node is sent. Everything about L2 is decided here.
struct FieldWriter {
    let signedIn: SignedIn
    let entry: EntryID
    /// The entry's version that the write will make: part of every envelope's place.
    let version: Int
    /// Labels of L2 fields that may be sent in the clear from now on, because the user says so.
    var toL1: Set<String> = []

    /// A field that was not there before.
    func added(_ input: FieldInput) async throws -> FieldWriteBody {
        let id = FieldID.random()
        var field = FieldWriteBody(id: id.text, label: input.label, kind: input.kind.rawValue, tier: input.isL2 ? 2 : 1)
        try await fill(&field, with: input, id, isL2: input.isL2)
        return field
    }

    /// A new value for a field that is there. Sends nothing but the value unless the tier changes: more is not an
    /// agent's to change.
    func changed(_ old: FieldBody, _ input: FieldInput) async throws -> FieldWriteBody {
        let mayBeL1 = toL1.contains(old.label.lowercased())
        guard let id = FieldID(text: old.id) else {
            throw CommandFailure(.failed, "The node gave something that is no id.")
        }
        if old.tier == 2, !input.isL2, !mayBeL1 {
            throw CommandFailure(
                .usage, "\"\(old.label.printable)\" is L2: the node must not see its value.",
                hint: "--l2 \"\(old.label)\" keeps it so; --to-l1 \"\(old.label)\" in addition gives that up.")
        }
        let isL2 = input.isL2 && !mayBeL1
        var field = FieldWriteBody(id: id.text)
        if isL2 != (old.tier == 2) { field.tier = isL2 ? 2 : 1 }
        // A seed in a field that was none before: codes are made of seeds alone.
        if input.kind == .totp, old.kind != FieldKind.totp.rawValue { field.kind = input.kind.rawValue }
        try await fill(&field, with: input, id, isL2: isL2)
        if isL2, old.tier == 1 {
            signedIn.workspace.terminal.note("\"\(old.label.printable)\" is L2 from now on: agents lose it.")
        }
        return field
    }

    /// An L2 field's present value as L1, because the user says so.
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
        // The password before the value: where both come from standard input, the password is its first line.
        _ = try await signedIn.l2Key()
        field.envelope = try await sealed(try value(input), id)
    }

    private func value(_ input: FieldInput) throws -> String {
        let value =
            switch input.content {
            case .text(let text): text
            case .secret(let origin): try signedIn.workspace.secrets.secret(input.label, from: origin)
            case .generated(let length): Generator.password(length: length)
            }
        guard !value.utf8.contains(0) else {
            throw CommandFailure(
                .usage, "The value of \"\(input.label.printable)\" has a NUL in it, which text has not.",
                hint: "For bytes that are no text, store them in base64.")
        }
        if input.kind == .totp, TOTP(value) == nil {
            throw CommandFailure(
                .usage, "That is no seed for one-time codes.", hint: "A seed is base32 text or an otpauth:// address.")
        }
        return value
    }
}
