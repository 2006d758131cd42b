import Auth
import HTTPServing
import HTTPTypes
import Hummingbird
import Vault
import VaultFormat
import Wire

/// Routes under `/api/v1/entries`, `/trash` and `/deposits`. Translates between HTTP and `Entries`; decides nothing.
struct EntryRoutes {
    let entries: Entries
    let agents: Agents
    let idempotency: IdempotencyRecords
    let cursors: Cursors

    func add(to group: RouterGroup<SignedInContext>) {
        group.post("entries", use: create)
        group.get("entries", use: list)
        group.post("entries/search", use: search)
        group.get("entries/:id", use: view)
        group.put("entries/:id", use: replace)
        group.patch("entries/:id", use: patch)
        group.delete("entries/:id", use: trash)
        group.get("entries/:id/versions", use: versions)
        group.post("entries/:id/restore", use: restore)
        group.get("entries/:id/fields/:field", use: read)
        group.get("entries/:id/fields/:field/totp", use: totpCode)
        group.post("values", use: readValues)
        group.get("trash", use: listTrash)
        group.delete("trash/:id", use: purge)
        group.post("deposits", use: deposit)
        group.get("deposits", use: listDeposits)
        group.post("deposits/:id/accept", use: accept)
        group.delete("deposits/:id", use: reject)
    }

    // MARK: Reading

    private func read(_ request: Request, context: SignedInContext) async throws -> Response {
        let (entry, field) = try field(context)
        guard let text = request.uri.queryParameters.get("version") else {
            return Response(
                bytes: try await entries.read(field, of: entry, as: context.principal) { $0.compactJSON() })
        }
        guard let version = Int(text), version > 0 else {
            throw Problem.malformed("version", "must be an integer from 1")
        }
        let json = try await entries.read(field, of: entry, at: version, as: context.principal) { content in
            try JSONText.encode(FieldValueBody(content))
        }
        return Response(bytes: json)
    }

    private func readValues(_: Request, context: SignedInContext) async throws -> Response {
        let body: ValuesReadBody = try await context.json()
        let fields = try body.values.map { value in
            // A malformed id is answered like one that does not exist.
            guard let entry = EntryID(text: value.entry), let field = FieldID(text: value.field) else {
                throw VaultError.noSuchField
            }
            return (entry: entry, field: field)
        }
        // The JSON of a `ValuesBody`, written without an encoder.
        let json = try await entries.read(fields, as: context.principal) { content, json in
            json += json.isEmpty ? #"{"values":["#.utf8 : ",".utf8
            json += content.compactJSON()
        }
        return Response(bytes: json + "]}".utf8)
    }

    private func totpCode(_: Request, context: SignedInContext) async throws -> Response {
        let (entry, field) = try field(context)
        let (code, period, expiresIn) = try await entries.code(field, of: entry, as: context.principal)
        return try Response(json: CodeBody(code: code, period: period, expiresIn: expiresIn))
    }

    private func view(_: Request, context: SignedInContext) async throws -> Response {
        let id = try entry(context)
        return try await .entry(for: context) {
            let view = try await entries.view(id, as: context.principal)
            return EntryBody(view, try await depositorNames([view], context))
        }
    }

    private func list(_ request: Request, context: SignedInContext) async throws -> Response {
        try await list(.active, request, context)
    }

    private func listTrash(_ request: Request, context: SignedInContext) async throws -> Response {
        try await list(.trashed, request, context)
    }

    private func listDeposits(_ request: Request, context: SignedInContext) async throws -> Response {
        try await list(.deposit, request, context)
    }

    private func list(_ state: EntryState, _ request: Request, _ context: SignedInContext) async throws -> Response {
        let (cursor, limit) = try request.page()
        let list = "entries \(state.rawValue)"
        let after = try cursors.decode(cursor, list, context.principal)?[0] ?? 0
        return try await .large(for: context) {
            let (page, next) = try await entries.list(state, after: after, limit: limit, as: context.principal)
            let names = try await depositorNames(page, context)
            return EntryListBody(
                entries: page.map { EntryBody($0, names) },
                next: cursors.encode(next.map { [$0] }, list, context.principal))
        }
    }

    private func depositorNames(
        _ views: [EntryView], _ context: SignedInContext
    ) async throws -> [PrincipalID: String] {
        let depositors = Set(views.compactMap(\.depositor))
        return depositors.isEmpty ? [:] : try await agents.names(of: depositors, as: context.principal)
    }

    private func search(_: Request, context: SignedInContext) async throws -> Response {
        let body: SearchBody = try await context.json()
        if body.titles?.isEmpty == true {
            throw Problem.malformed("titles", "must not be empty; omit it to match any title")
        }
        let list =
            "search "
            + ([body.text, body.tag, body.host] + (body.titles ?? [])).map {
                $0.map { "\($0.utf8.count):\($0)" } ?? "-"
            }
            .joined()
        let after = try cursors.decode(body.cursor, list, context.principal)?[0] ?? 0
        let limit = try RequestLimits.check(body.limit ?? RequestLimits.standardPage)
        return try await .large(for: context) {
            let (page, next) = try await entries.search(
                .init(text: body.text, tag: body.tag, host: body.host, titles: body.titles ?? []), after: after,
                limit: limit, as: context.principal)
            return EntryListBody(
                entries: page.map { EntryBody($0) }, next: cursors.encode(next.map { [$0] }, list, context.principal))
        }
    }

    private func versions(_: Request, context: SignedInContext) async throws -> Response {
        let id = try entry(context)
        return try await .large(for: context) {
            let versions = try await entries.versions(of: id, as: context.principal)
            let names = try await agents.names(of: Set(versions.map(\.by)), as: context.principal)
            return VersionsBody(
                versions: versions.map {
                    .init(
                        version: $0.version, at: $0.at, by: $0.by.text, agentName: names[$0.by],
                        fields: $0.fields.map(\.text))
                })
        }
    }

    // MARK: Changing

    private func create(_ request: Request, context: SignedInContext) async throws -> Response {
        let write = try await EntryWriteRequest(request, context, for: .creation)
        let (id, edit) = (write.id, write.edit)
        guard let idempotentRequest = write.idempotentRequest else {
            return try await .entry(status: .created, for: context) {
                EntryBody(try await entries.create(edit, id: id, as: context.principal))
            }
        }
        var response = try await idempotency.respondOnce(
            to: idempotentRequest, as: context.principal
        ) { [idempotency] in
            let view = try await entries.create(edit, id: id, as: context.principal) { view in
                [
                    idempotency.record(
                        of: try JSONText.encode(EntryBody(view)), to: idempotentRequest, as: context.principal)
                ]
            }
            return try JSONText.encode(EntryBody(view))
        }
        // That of a new entry.
        response.headers[.eTag] = "\"1\""
        return response
    }

    private func replace(_ request: Request, context: SignedInContext) async throws -> Response {
        let id = try entry(context)
        return try await update(id, request, context, for: .replacement(of: id))
    }

    private func patch(_ request: Request, context: SignedInContext) async throws -> Response {
        let id = try entry(context)
        return try await update(id, request, context, for: .patch(of: id))
    }

    private func update(
        _ id: EntryID, _ request: Request, _ context: SignedInContext, for purpose: EntryWriteRequest.Purpose
    ) async throws -> Response {
        let version = try request.expectedVersion()
        let edit = try await EntryWriteRequest(request, context, for: purpose).edit
        return try await .entry(for: context) {
            EntryBody(try await entries.update(id, ifVersion: version, edit, as: context.principal))
        }
    }

    private func trash(_ request: Request, context: SignedInContext) async throws -> Response {
        try await entries.trash(try entry(context), ifVersion: try request.expectedVersion(), as: context.principal)
        return .noContent
    }

    private func restore(_ request: Request, context: SignedInContext) async throws -> Response {
        let (version, envelopes, l2) = try await context.parsing { [text = context.body] in
            let body: RestoreBody = try JSONText.decode(text)
            var envelopes: [FieldID: [UInt8]] = [:]
            for field in try EntryEdit(EntryWriteBody(fields: body.fields), replacesFields: false).fields {
                guard let id = field.id, case .envelope(let envelope)? = field.content else {
                    throw Problem.malformed("fields", "must each have an id and an envelope")
                }
                envelopes[id] = envelope
            }
            return (body.version, envelopes, try body.l2.map { try L2EntryWrite($0) })
        }
        let id = try entry(context)
        guard let version else {
            return try await .entry(for: context) { EntryBody(try await entries.untrash(id, as: context.principal)) }
        }
        let current = try request.expectedVersion()
        return try await .entry(for: context) {
            EntryBody(
                try await entries.restore(
                    id, to: version, ifVersion: current, envelopes: envelopes, l2: l2, as: context.principal))
        }
    }

    private func purge(_: Request, context: SignedInContext) async throws -> Response {
        try await entries.purge(try entry(context), as: context.principal)
        return .noContent
    }

    // MARK: Deposits

    private func deposit(_ request: Request, context: SignedInContext) async throws -> Response {
        let write = try await EntryWriteRequest(request, context, for: .deposit)
        let edit = write.edit
        guard let idempotentRequest = write.idempotentRequest else {
            let id = try await entries.deposit(edit, as: context.principal)
            return try Response(json: DepositBody(id: id.text), status: .created)
        }
        return try await idempotency.respondOnce(to: idempotentRequest, as: context.principal) { [idempotency] in
            let id = try await entries.deposit(edit, as: context.principal) { id in
                [
                    idempotency.record(
                        of: try JSONText.encode(DepositBody(id: id.text)), to: idempotentRequest, as: context.principal)
                ]
            }
            return try JSONText.encode(DepositBody(id: id.text))
        }
    }

    private func accept(_: Request, context: SignedInContext) async throws -> Response {
        let id = try entry(context)
        return try await .entry(for: context) { EntryBody(try await entries.accept(id, as: context.principal)) }
    }

    private func reject(_: Request, context: SignedInContext) async throws -> Response {
        try await entries.reject(try entry(context), as: context.principal)
        return .noContent
    }

    // MARK: Parameters

    /// A malformed id is answered like one that does not exist.
    private func entry(_ context: SignedInContext) throws -> EntryID {
        guard let id = EntryID(text: try context.parameters.require("id")) else { throw VaultError.noSuchEntry }
        return id
    }

    private func field(_ context: SignedInContext) throws -> (EntryID, FieldID) {
        guard let entry = EntryID(text: try context.parameters.require("id")),
            let field = FieldID(text: try context.parameters.require("field"))
        else { throw VaultError.noSuchField }
        return (entry, field)
    }
}
