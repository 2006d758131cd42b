import Console
import OneTimePasswords
import VaultFormat
import Wire

/// Converts field options into request bodies, and encrypts L2 values. For one write of one entry.
final class FieldWriter {
    private let signedIn: SignedIn
    private let entry: EntryID
    /// The entry before the write; nil for a new one.
    private(set) var old: EntryBody?
    /// Labels of L2 fields that the user moves to L1.
    private let toL1: Set<String>
    /// The key of the entry's L2 values with the list of L2 fields after the write.
    private var l2: L2EntryKey?
    private var changesL2 = false

    init(signedIn: SignedIn, entry: EntryID, old: EntryBody? = nil, toL1: Set<String> = []) {
        self.signedIn = signedIn
        self.entry = entry
        self.old = old
        self.toL1 = toL1
    }

    /// The version that the write creates; every envelope is bound to it.
    private var version: Int { (old?.version ?? 0) + 1 }

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
        // A plain value must not go to a field that only the node calls L1.
        if !isL2, old.tier == 1, self.old?.l2 != nil, !signedIn.isAgent { _ = try await l2Key() }
        var field = FieldWriteBody(id: id.text)
        if isL2 != (old.tier == 2) { field.tier = isL2 ? 2 : 1 }
        if !isL2, old.tier == 2 { try await remove(id) }
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
        if let id = FieldID(text: old.id) { try await remove(id) }
        let value = try await FieldReader(signedIn: signedIn).value(of: old, in: self.old ?? body)
        return FieldWriteBody(id: old.id, tier: 1, value: value)
    }

    func sealed(_ value: String, _ field: FieldID) async throws -> String {
        var key = try await l2Key()
        key.fields[field] = version
        l2 = key
        changesL2 = true
        do throws(L2Failure) {
            return try key.seal(value, field: field, version: version)
        } catch {
            throw CommandFailure(error)
        }
    }

    /// Takes a field off the list of L2 fields.
    func remove(_ field: FieldID) async throws {
        var key = try await l2Key()
        guard key.fields.removeValue(forKey: field) != nil else { return }
        l2 = key
        changesL2 = true
    }

    /// Takes fields off the list whose password is not needed otherwise, if it was entered. Without it the list names them until the
    /// next change of an L2 field.
    func forget(_ fields: [FieldID]) async throws {
        guard l2 != nil else { return }
        for field in fields { try await remove(field) }
    }

    /// The request's member for the entry's L2 key; nil when the write changes no L2 field. After all fields.
    func l2Body() async throws -> L2EntryBody? {
        guard changesL2, let l2 else { return nil }
        return try await signedIn.l2Key().body(of: l2)
    }

    /// The entry's L2 key: the present one, or a new one. Rekeys the entry first if a rekey has not reached it.
    private func l2Key() async throws -> L2EntryKey {
        if let l2 { return l2 }
        let l2Key = try await signedIn.l2Key()
        guard let old, let row = old.l2 else {
            if let old, old.fields.contains(where: { $0.tier == 2 }) { _ = try await signedIn.l2EntryKey(of: old) }
            let new = L2EntryKey.generate(for: entry, in: l2Key.vault)
            l2 = new
            return new
        }
        var key = try await signedIn.l2EntryKey(of: old)
        if row.generation < l2Key.generation {
            guard let rekeyed = try await EntryRekeying(signedIn: signedIn).rekey(entry) else {
                throw CommandFailure(
                    .conflict, "The entry was changed meanwhile; nothing was written.", hint: "Repeat the command.")
            }
            key = try await signedIn.open(rekeyed.l2, of: entry)
            self.old?.l2 = rekeyed.l2
        }
        // Those that were removed without the password are not named any more.
        let present = old.fields.filter { $0.tier == 2 }.compactMap { FieldID(text: $0.id) }
        key.fields = key.fields.filter { present.contains($0.key) }
        l2 = key
        return key
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
