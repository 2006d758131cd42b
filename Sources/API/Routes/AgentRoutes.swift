import Auth
import Encoding
import HTTPServing
import Hummingbird
import IPNetworks
import Vault
import VaultFormat
import Wire

/// Routes under `/api/v1/agents` and `/audit`. Translates between HTTP, `Agents` and `AuditTrail`; decides nothing.
struct AgentRoutes {
    let agents: Agents
    let trail: AuditTrail
    let tokens: AgentTokens
    let idempotency: IdempotencyRecords
    let cursors: Cursors

    func add(to group: RouterGroup<SignedInContext>) {
        group.post("agents", use: create)
        group.get("agents", use: list)
        group.get("agents/:id", use: view)
        group.patch("agents/:id", use: update)
        group.delete("agents/:id", use: revoke)
        group.post("agents/:id/rotate", use: rotate)
        group.get("agents/:id/disclosures", use: disclosures)
        group.get("audit", use: audit)
    }

    private func create(_ request: Request, context: SignedInContext) async throws -> Response {
        let body: AgentWriteBody = try await context.json()
        guard let name = body.name else { throw Problem.malformed("name", "is required") }
        let draft = Agents.Draft(
            name: name, grants: try (body.grants ?? []).map { body throws(Problem) in try Grant(body) },
            policy: try AgentPolicy(body, over: AgentPolicy()))
        let idempotentRequest = try request.idempotentRequest(context.body)
        let perform = { [agents, tokens, idempotency] () async throws -> [UInt8] in
            let token = Token(.agent)
            let encoded = { @Sendable (created: Agents.Created) throws -> [UInt8] in
                let agent = AgentBody(created.agent, at: agents.now)
                return try JSONText.encode(
                    AgentTokenBody(id: agent.id, token: token.text, agent: agent, disclosures: nil))
            }
            let created = try await agents.create(draft, as: context.principal) { created in
                var mutations = tokens.mutations(for: created.holder, token, vault: context.principal.vault)
                if let idempotentRequest {
                    mutations.append(
                        idempotency.record(of: try encoded(created), to: idempotentRequest, as: context.principal))
                }
                return mutations
            }
            return try encoded(created)
        }
        guard let idempotentRequest else { return Response(bytes: try await perform(), status: .created) }
        return try await idempotency.respondOnce(to: idempotentRequest, as: context.principal, perform: perform)
    }

    private func list(_ request: Request, context: SignedInContext) async throws -> Response {
        let (cursor, limit) = try request.page()
        let after = try cursors.decode(cursor, count: 2, "agents", context.principal)
            .flatMap { PrincipalID($0.flatMap(\.bigEndianBytes)) }
        return try await .large(for: context) {
            let page = try await agents.list(after: after, limit: limit, as: context.principal)
            let last = page.hasMore ? page.items.last?.id.numbers : nil
            return AgentListBody(
                agents: page.items.map { AgentBody($0, at: agents.now) },
                next: cursors.encode(last, "agents", context.principal))
        }
    }

    private func view(_: Request, context: SignedInContext) async throws -> Response {
        try Response(json: AgentBody(try await agents.view(try agent(context), as: context.principal), at: agents.now))
    }

    private func update(_: Request, context: SignedInContext) async throws -> Response {
        let body: AgentWriteBody = try await context.json()
        let id = try agent(context)
        let grants = try body.grants?.map { body throws(Problem) in try Grant(body) }
        let change: @Sendable (inout AgentPolicy) throws -> Void = { $0 = try AgentPolicy(body, over: $0) }
        let agent = try await agents.update(
            id, name: body.name, grants: grants, policy: body.touchesPolicy ? change : nil, isPaused: body.paused,
            as: context.principal)
        return try Response(json: AgentBody(agent, at: agents.now))
    }

    private func revoke(_: Request, context: SignedInContext) async throws -> Response {
        // Revoke first; the disclosures are reported afterwards.
        let ended = try await agents.revoke(try agent(context), as: context.principal)
        return try await .committed(for: context) {
            DisclosuresBody(try await trail.disclosures(of: ended, as: context.principal))
        }
    }

    private func rotate(_: Request, context: SignedInContext) async throws -> Response {
        let token = Token(.agent)
        let id = try agent(context)
        // One piece of work: once the old token is revoked, the owner must receive the new one.
        return try await .large(for: context) {
            let (created, ended) = try await agents.rotate(id, as: context.principal) { [tokens] created in
                tokens.mutations(for: created.holder, token, vault: context.principal.vault)
            }
            let disclosures = try await trail.disclosures(of: ended, as: context.principal)
            let agent = AgentBody(created.agent, at: agents.now)
            return AgentTokenBody(
                id: agent.id, token: token.text, agent: agent, disclosures: DisclosuresBody(disclosures))
        }
    }

    private func disclosures(_: Request, context: SignedInContext) async throws -> Response {
        let id = try agent(context)
        return try await .large(for: context) {
            _ = try await agents.view(id, as: context.principal)
            return DisclosuresBody(try await trail.disclosures(of: id, as: context.principal))
        }
    }

    private func audit(_ request: Request, context: SignedInContext) async throws -> Response {
        let (cursor, limit) = try request.page()
        let before = try cursors.decode(cursor, count: 2, "audit", context.principal)
            .map { AuditPosition(sequence: $0[0], number: $0[1]) }
        return try await .large(for: context) {
            let page = try await trail.lines(before: before, limit: limit, as: context.principal)
            let last = page.hasMore ? page.items.last?.position : nil
            let principals = page.items.flatMap { [$0.event.actor.id, $0.event.subject] }
            let names = try await agents.names(
                of: Set(principals.compactMap { $0.flatMap { PrincipalID(text: $0) } }), as: context.principal)
            return AuditBody(
                lines: page.items.map { AuditBody.Line($0, names) },
                next: cursors.encode(last.map { [$0.sequence, $0.number] }, "audit", context.principal))
        }
    }

    private func agent(_ context: SignedInContext) throws -> PrincipalID {
        guard let id = PrincipalID(text: try context.parameters.require("id")) else { throw VaultError.noSuchAgent }
        return id
    }
}

// MARK: Wire types

extension Grant {
    init(_ body: GrantBody) throws(Problem) {
        switch (body.entry, body.tag) {
        case (let text?, nil):
            guard let id = EntryID(text: text) else { throw .malformed("grants.entry", "must be an entry id") }
            // A limit that would be ignored must be an error.
            if body.labels != nil {
                throw .malformed("grants.labels", "must go with a tag; use fields with an entry")
            }
            self.init(scope: .entry(id), only: try Self.only(body.fields, "grants.fields"))
        case (nil, let tag?):
            if body.fields != nil {
                throw .malformed("grants.fields", "must go with an entry; use labels with a tag")
            }
            self.init(scope: .tag(tag), only: try Self.only(body.labels, "grants.labels"))
        default:
            throw .malformed("grants", "must have an entry or a tag, not both")
        }
    }

    private static func only(_ selection: GrantBody.Selection?, _ member: String) throws(Problem) -> [String]? {
        switch selection {
        case .all?: nil
        case .only(let list)?: list
        // An omitted selection must not grant everything.
        case nil: throw .malformed(member, "must be a list of strings, or \"*\" for all")
        }
    }
}

extension GrantBody {
    init(_ grant: Grant) {
        let selection = grant.only.map(Selection.only) ?? .all
        switch grant.scope {
        case .entry(let id): self.init(entry: id.text, fields: selection)
        case .tag(let tag): self.init(tag: tag, labels: selection)
        }
    }
}

extension AgentWriteBody {
    fileprivate var touchesPolicy: Bool {
        func touches<Value>(_ limit: Limit<Value>) -> Bool { if case .unchanged = limit { false } else { true } }
        return verbs != nil || cidr != nil || touches(notBefore) || touches(expiresAt) || touches(maxUses)
            || touches(ratePerMinute)
    }
}

extension AgentPolicy {
    init(_ body: AgentWriteBody, over old: AgentPolicy) throws(Problem) {
        self = old
        if let names = body.verbs {
            verbs = []
            for name in names {
                guard let verb = Verb(rawValue: name) else {
                    throw .malformed(
                        "verbs", "must contain only \(Verb.allCases.map(\.rawValue).joined(separator: ", "))")
                }
                verbs.insert(verb)
            }
        }
        if let texts = body.cidr {
            cidr = []
            for text in texts {
                guard let network = IPNetwork(text) else {
                    throw .malformed("cidr", "must contain networks such as 192.0.2.0/24")
                }
                cidr.append(network)
            }
        }
        notBefore = body.notBefore.applied(to: notBefore)
        expiresAt = body.expiresAt.applied(to: expiresAt)
        maxUses = body.maxUses.applied(to: maxUses)
        ratePerMinute = body.ratePerMinute.applied(to: ratePerMinute)
    }
}

extension AgentWriteBody.Limit {
    fileprivate func applied(to old: Value?) -> Value? {
        switch self {
        case .unchanged: old
        case .none: nil
        case .some(let value): value
        }
    }
}

extension AgentBody {
    init(_ agent: AgentView, at now: Int64) {
        self.init(
            id: agent.id.text, name: agent.name, grants: agent.grants.map(GrantBody.init),
            verbs: agent.policy.verbs.map(\.rawValue).sorted(), notBefore: agent.policy.notBefore,
            expiresAt: agent.policy.expiresAt, cidr: agent.policy.cidr.map(\.text), maxUses: agent.policy.maxUses,
            ratePerMinute: agent.policy.ratePerMinute, state: agent.condition(at: now).rawValue, uses: agent.uses,
            createdAt: agent.created)
    }
}

extension DisclosuresBody {
    init(_ disclosures: AuditTrail.Disclosures) {
        self.init(
            canRead: disclosures.canRead.map { .init(entry: $0.entry.text, field: $0.field.text) },
            didRead: disclosures.didRead.map {
                .init(
                    entry: $0.entry, field: $0.field, version: $0.version, lastAt: $0.lastAt, count: $0.count,
                    codes: $0.codes)
            }, isComplete: disclosures.isComplete)
    }
}

extension AuditBody.Line {
    init(_ line: AuditTrail.Line, _ names: [PrincipalID: String]) {
        let event = line.event
        func name(_ id: String?) -> String? { id.flatMap { PrincipalID(text: $0) }.flatMap { names[$0] } }
        self.init(
            sequence: line.position.number, at: line.at, action: event.action.rawValue, outcome: event.outcome.rawValue,
            actorKind: event.actor.kind.rawValue, actor: event.actor.id, from: event.from, entry: event.entry,
            field: event.field, version: event.version, subject: event.subject, reason: event.reason, count: event.count
        )
        actorName = name(event.actor.id)
        subjectName = name(event.subject)
        kept = event.kept
        ended = event.ended
    }
}
