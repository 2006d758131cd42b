import Encoding
import HTTPServing
package import Vault
import VaultFormat
package import Wire

// Conversions between the wire types of entries and the domain.

extension EntryEdit {
    package init(_ body: EntryWriteBody, replacesFields: Bool) throws(Problem) {
        let type = try body.type.map { name throws(Problem) in
            guard let type = EntryType(rawValue: name) else {
                throw .malformed("type", "must be one of \(EntryType.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            return type
        }
        var fields: [EntryEdit.Field] = []
        for field in body.fields ?? [] { fields.append(try EntryEdit.Field(field)) }
        self.init(
            title: body.title, type: type, urls: body.urls, tags: body.tags, notes: body.notes, fields: fields,
            replacesFields: replacesFields, l2: try body.l2.map { l2 throws(Problem) in try L2EntryWrite(l2) })
    }
}

extension EntryEdit.Field {
    init(_ body: FieldWriteBody) throws(Problem) {
        self.init(label: body.label, isRemoved: body.remove ?? false)
        if let text = body.id {
            guard let id = FieldID(text: text) else { throw .malformed("fields.id", "must be 16 bytes in base64url") }
            self.id = id
        }
        if let name = body.kind {
            guard let kind = FieldKind(rawValue: name) else {
                throw .malformed(
                    "fields.kind", "must be one of \(FieldKind.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            self.kind = kind
        }
        if let number = body.tier {
            guard let tier = UInt8(exactly: number).flatMap(Tier.init(rawValue:)), tier != .metadata else {
                throw .malformed("fields.tier", "must be 1 or 2")
            }
            self.tier = tier
        }
        switch (body.value, body.envelope) {
        case (let value?, nil): content = .value(value)
        case (nil, let envelope?): content = .envelope(try Base64URL.bytes(envelope, "fields.envelope"))
        case (nil, nil): content = nil
        default: throw .malformed("fields", "must have a value or an envelope, not both")
        }
    }
}

extension L2EntryWrite {
    init(_ body: L2EntryBody) throws(Problem) {
        guard L2Key.generations.contains(body.generation) else {
            throw .malformed("l2.generation", "must be an integer from 1 to 2^32 - 1")
        }
        guard let number = UInt32(exactly: body.key), number > 0 else {
            throw .malformed("l2.key", "must be an integer from 1 to 2^32 - 1")
        }
        self.init(generation: body.generation, number: number, box: try Base64URL.bytes(body.box, "l2.box"))
    }
}

extension L2EntryBody {
    init(_ row: L2EntryRow) {
        self.init(generation: row.generation, key: Int(row.number), box: Base64URL.encode(row.box))
    }
}

extension EntryBody {
    init(_ view: EntryView, _ names: [PrincipalID: String] = [:]) {
        self.init(
            id: view.id.text, version: view.version, title: view.title, type: view.type.rawValue,
            urls: view.details?.urls, tags: view.details?.tags, notes: view.details?.notes, createdAt: view.created,
            updatedAt: view.updated, deletedAt: view.deleted, depositor: view.depositor?.text,
            fields: view.fields.map { field in
                FieldBody(
                    id: field.id.text, label: field.label, kind: field.kind.rawValue, tier: Int(field.tier.rawValue),
                    version: field.version)
            })
        l2 = view.l2.map { L2EntryBody($0) }
        depositorName = view.depositor.flatMap { names[$0] }
    }
}

extension FieldContent {
    /// The JSON of a `FieldValueBody`, written without an encoder: agents wait for this response.
    func compactJSON() -> [UInt8] {
        var json = CompactJSON()
        json.add("id", field.id.text)
        json.add("label", field.label)
        json.add("kind", field.kind.rawValue)
        json.add("tier", Int(field.tier.rawValue))
        json.add("version", field.version)
        switch content {
        case .value(let value): json.add("value", value)
        case .envelope(let envelope): json.add("envelope", Base64URL.encode(envelope))
        }
        return json.finished()
    }
}

extension FieldValueBody {
    init(_ content: FieldContent) {
        let field = content.field
        self.init(
            id: field.id.text, label: field.label, kind: field.kind.rawValue, tier: Int(field.tier.rawValue),
            version: field.version, value: nil, envelope: nil)
        switch content.content {
        case .value(let value): self.value = value
        case .envelope(let bytes): envelope = Base64URL.encode(bytes)
        }
    }
}
