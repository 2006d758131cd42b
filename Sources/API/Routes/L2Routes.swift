import Encoding
import HTTPServing
import Hummingbird
import Vault
import VaultFormat
import Wire

/// Routes under `/api/v1/entries/{id}/l2`, with which a client gives an entry another L2 key. Translates between HTTP and `Entries`;
/// decides nothing.
struct L2Routes {
    let entries: Entries
    let cursors: Cursors

    func add(to group: RouterGroup<SignedInContext>) {
        group.get("entries/:id/l2", use: l2Values)
        group.put("entries/:id/l2", use: rekey)
    }

    private func l2Values(_ request: Request, context: SignedInContext) async throws -> Response {
        let id = try entry(context)
        let (cursor, limit) = try request.page()
        let list = "l2 \(id.text)"
        // A cursor holds a field id and a version: two integers and one.
        let after = try cursors.decode(cursor, count: 3, list, context.principal).flatMap { numbers in
            FieldID(numbers: numbers.prefix(2)).map { L2Version(field: $0, version: Int(numbers[2])) }
        }
        return try await .large(for: context) {
            let export = try await entries.l2Values(of: id, after: after, limit: limit, as: context.principal)
            let last = export.values.hasMore ? export.values.items.last?.value.place : nil
            return L2ValuesBody(
                version: export.version, l2: L2EntryBody(export.row),
                envelopes: export.values.items.map { item in
                    .init(
                        field: item.value.place.field.text, version: item.value.place.version,
                        isCurrent: item.isCurrent, envelope: Base64URL.encode(item.value.box))
                },
                next: cursors.encode(
                    last.map { $0.field.numbers + [Int64($0.version)] }, list, context.principal))
        }
    }

    private func rekey(_ request: Request, context: SignedInContext) async throws -> Response {
        let version = try request.expectedVersion()
        let (l2, envelopes) = try await context.parsing { [text = context.body] in
            let body: L2EntryRekeyBody = try JSONText.decode(text)
            var envelopes: [L2Version: [UInt8]] = [:]
            for envelope in body.envelopes {
                guard let field = FieldID(text: envelope.field) else {
                    throw Problem.malformed("envelopes.field", "must be 16 bytes in base64url")
                }
                let place = L2Version(field: field, version: envelope.version)
                guard envelopes[place] == nil else {
                    throw Problem.malformed("envelopes", "must not contain the same value twice")
                }
                envelopes[place] = try Base64URL.bytes(envelope.envelope, "envelopes.envelope")
            }
            return (try L2EntryWrite(body.l2), envelopes)
        }
        try await entries.rekey(
            try entry(context), ifVersion: version, l2, envelopes: envelopes, as: context.principal)
        return .noContent
    }

    /// A malformed id is answered like one that does not exist.
    private func entry(_ context: SignedInContext) throws -> EntryID {
        guard let id = EntryID(text: try context.parameters.require("id")) else { throw VaultError.noSuchEntry }
        return id
    }
}
