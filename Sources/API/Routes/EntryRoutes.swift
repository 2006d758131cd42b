import Auth
import Encoding
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
        group.get("entries/:id/fields/:field/totp", use: code)
        group.post("values", use: readSeveral)
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
                json: try await entries.read(field, of: entry, as: context.principal) { $0.compactJSON() })
        }
        guard let version = Int(text), version > 0 else { throw Problem.malformed("version", "is a positive number") }
        let json = try await entries.read(field, of: entry, at: version, as: context.principal) { content in
            try JSONText.encode(FieldValueBody(content))
        }
        return Response(json: json)
    }

    private func readSeveral(_: Request, context: SignedInContext) async throws -> Response {
        let body: ValuesReadBody = try await context.json()
        let fields = try body.values.map { place in
            // What is no id is not there.
            guard let entry = EntryID(text: place.entry), let field = FieldID(text: place.field) else {
                throw VaultError.noSuchField
            }
            return (entry: entry, field: field)
        }
        // A `ValuesBody`.
        let json = try await entries.read(fields, as: context.principal) { content, json in
            json += json.isEmpty ? #"{"values":["#.utf8 : ",".utf8
            json += content.compactJSON()
        }
        return Response(json: json + "]}".utf8)
    }

    private func code(_: Request, context: SignedInContext) async throws -> Response {
        let (entry, field) = try field(context)
        let (code, period, expiresIn) = try await entries.code(field, of: entry, as: context.principal)
        return try Response(CodeBody(code: code, period: period, expiresIn: expiresIn))
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
    ) async throws -> [HolderID: String] {
        let depositors = Set(views.compactMap(\.depositor))
        return depositors.isEmpty ? [:] : try await agents.names(of: depositors, as: context.principal)
    }

    private func search(_: Request, context: SignedInContext) async throws -> Response {
        let body: SearchBody = try await context.json()
        if body.titles?.isEmpty == true { throw Problem.malformed("titles", "must not be empty; leave it out for any") }
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
        let written = try await Written(request, context, makes: true, replacesFields: true)
        let (id, edit) = (written.id, written.edit)
        guard let remembered = written.remembered else {
            return try await .entry(status: .created, for: context) {
                EntryBody(try await entries.create(edit, id: id, as: context.principal))
            }
        }
        return try await idempotency.once(remembered, as: context.principal) { [idempotency] in
            let view = try await entries.create(edit, id: id, as: context.principal) { view in
                [idempotency.record(of: try JSONText.encode(EntryBody(view)), to: remembered, as: context.principal)]
            }
            return try JSONText.encode(EntryBody(view))
        }
    }

    private func replace(_ request: Request, context: SignedInContext) async throws -> Response {
        try await update(request, context, replacesFields: true)
    }

    private func patch(_ request: Request, context: SignedInContext) async throws -> Response {
        try await update(request, context, replacesFields: false)
    }

    private func update(_ request: Request, _ context: SignedInContext, replacesFields: Bool) async throws -> Response {
        let version = try request.expectedVersion()
        let edit = try await Written(request, context, makes: false, replacesFields: replacesFields).edit
        let id = try entry(context)
        return try await .entry(for: context) {
            EntryBody(try await entries.update(id, ifVersion: version, edit, as: context.principal))
        }
    }

    private func trash(_ request: Request, context: SignedInContext) async throws -> Response {
        try await entries.trash(try entry(context), ifVersion: try request.expectedVersion(), as: context.principal)
        return .nothing
    }

    private func restore(_ request: Request, context: SignedInContext) async throws -> Response {
        let (version, boxes) = try await context.takingApart { [text = context.body] in
            let body: RestoreBody = try JSONText.decode(text)
            var envelopes: [FieldID: [UInt8]] = [:]
            for field in try EntryEdit(EntryWriteBody(fields: body.fields), replacesFields: false).fields {
                guard let id = field.id, case .envelope(let box)? = field.content else {
                    throw Problem.malformed("fields", "holds ids and envelopes")
                }
                envelopes[id] = box
            }
            return (body.version, envelopes)
        }
        let id = try entry(context)
        guard let version else {
            return try await .entry(for: context) { EntryBody(try await entries.untrash(id, as: context.principal)) }
        }
        let current = try request.expectedVersion()
        return try await .entry(for: context) {
            EntryBody(
                try await entries.restore(
                    id, to: version, ifVersion: current, envelopes: boxes, as: context.principal))
        }
    }

    private func purge(_: Request, context: SignedInContext) async throws -> Response {
        try await entries.purge(try entry(context), as: context.principal)
        return .nothing
    }

    // MARK: Deposits

    private func deposit(_ request: Request, context: SignedInContext) async throws -> Response {
        let written = try await Written(request, context, makes: true, replacesFields: true)
        let edit = written.edit
        guard let remembered = written.remembered else {
            let id = try await entries.deposit(edit, as: context.principal)
            return try Response(DepositBody(id: id.text), status: .created)
        }
        return try await idempotency.once(remembered, as: context.principal) { [idempotency] in
            let id = try await entries.deposit(edit, as: context.principal) { id in
                [
                    idempotency.record(
                        of: try JSONText.encode(DepositBody(id: id.text)), to: remembered, as: context.principal)
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
        return .nothing
    }

    // MARK: Parameters

    /// An id that cannot be one is answered like one that is not there.
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

/// An entry as somebody wrote it, made of a body in one piece: what is in it may be four megabytes.
private struct Written: Sendable {
    let id: EntryID?
    let edit: EntryEdit
    /// Where the request is one that makes something, and has a key to be repeated by.
    let remembered: IdempotencyRecords.Request?

    init(_ request: Request, _ context: SignedInContext, makes: Bool, replacesFields: Bool) async throws {
        let key = makes ? request.headers[.idempotencyKey] : nil
        self = try await context.takingApart { [text = context.body, path = request.uri.path] in
            let body: EntryWriteBody = try JSONText.decode(text)
            let id = try body.id.map { text throws(Problem) in
                guard let id = EntryID(text: text) else { throw .malformed("id", "is 16 bytes in base64url") }
                return id
            }
            return Written(
                id: id, edit: try EntryEdit(body, replacesFields: replacesFields),
                remembered: try IdempotencyRecords.Request(key: key, path: path, body: text))
        }
    }

    private init(id: EntryID?, edit: EntryEdit, remembered: IdempotencyRecords.Request?) {
        (self.id, self.edit, self.remembered) = (id, edit, remembered)
    }
}

// MARK: Wire types

extension EntryEdit {
    init(_ body: EntryWriteBody, replacesFields: Bool) throws(Problem) {
        let type = try body.type.map { name throws(Problem) in
            guard let type = EntryType(rawValue: name) else {
                throw .malformed("type", "is one of \(EntryType.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            return type
        }
        var fields: [EntryEdit.Field] = []
        for field in body.fields ?? [] { fields.append(try EntryEdit.Field(field)) }
        self.init(
            title: body.title, type: type, urls: body.urls, tags: body.tags, notes: body.notes, fields: fields,
            replacesFields: replacesFields)
    }
}

extension EntryEdit.Field {
    init(_ body: FieldWriteBody) throws(Problem) {
        self.init(label: body.label, isRemoved: body.remove ?? false)
        if let text = body.id {
            guard let id = FieldID(text: text) else { throw .malformed("fields.id", "is 16 bytes in base64url") }
            self.id = id
        }
        if let name = body.kind {
            guard let kind = FieldKind(rawValue: name) else {
                throw .malformed(
                    "fields.kind", "is one of \(FieldKind.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            self.kind = kind
        }
        if let number = body.tier {
            guard let tier = UInt8(exactly: number).flatMap(Tier.init(rawValue:)), tier != .metadata else {
                throw .malformed("fields.tier", "is 1 or 2")
            }
            self.tier = tier
        }
        switch (body.value, body.envelope) {
        case (let value?, nil): content = .value(value)
        case (nil, let envelope?): content = .envelope(try Base64URL.bytes(envelope, "fields.envelope"))
        case (nil, nil): content = nil
        default: throw .malformed("fields", "takes a value or an envelope, not both")
        }
    }
}

extension EntryBody {
    init(_ view: EntryView, _ names: [HolderID: String] = [:]) {
        self.init(
            id: view.id.text, version: view.version, title: view.title, type: view.type.rawValue,
            urls: view.details?.urls, tags: view.details?.tags, notes: view.details?.notes, createdAt: view.created,
            updatedAt: view.updated, deletedAt: view.deleted, depositor: view.depositor?.text,
            fields: view.fields.map { field in
                FieldBody(
                    id: field.id.text, label: field.label, kind: field.kind.rawValue, tier: Int(field.tier.rawValue),
                    version: field.version)
            })
        depositorName = view.depositor.flatMap { names[$0] }
    }
}

extension FieldContent {
    /// A `FieldValueBody`, without an encoder: this is the answer that agents wait for.
    fileprivate func compactJSON() -> [UInt8] {
        var json = CompactJSON()
        json.add("id", field.id.text)
        json.add("label", field.label)
        json.add("kind", field.kind.rawValue)
        json.add("tier", Int(field.tier.rawValue))
        json.add("version", field.version)
        switch content {
        case .value(let value): json.add("value", value)
        case .envelope(let box): json.add("envelope", Base64URL.encode(box))
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
        case .envelope(let box): envelope = Base64URL.encode(box)
        }
    }
}
