/// A grant: fields of an entry, or of every entry with a tag. In JSON `"*"` means all fields.
package struct GrantBody: Codable, Equatable, Sendable {
    package var entry: String?
    package var fields: Selection?
    package var tag: String?
    package var labels: Selection?

    package enum Selection: Codable, Equatable, Sendable {
        case all
        case only([String])

        package init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let list = try? container.decode([String].self) {
                self = .only(list)
            } else if try container.decode(String.self) == "*" {
                self = .all
            } else {
                throw DecodingError.dataCorruptedError(in: container, debugDescription: "neither a list nor \"*\"")
            }
        }

        package func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .all: try container.encode("*")
            case .only(let list): try container.encode(list)
            }
        }
    }

    package init(entry: String, fields: Selection) {
        self.entry = entry
        self.fields = fields
    }

    package init(tag: String, labels: Selection) {
        self.tag = tag
        self.labels = labels
    }
}

/// A new agent, or the changes of a patch. `null` removes a limit; absent members stay unchanged.
package struct AgentWriteBody: Codable, Sendable {
    package var name: String?
    package var grants: [GrantBody]?
    /// `read`, `write`, `deposit`, `totp`
    package var verbs: [String]?
    package var notBefore: Limit<Int64>
    package var expiresAt: Limit<Int64>
    /// Networks such as `192.0.2.0/24`.
    package var cidr: [String]?
    package var maxUses: Limit<Int>
    package var ratePerMinute: Limit<Int>
    package var paused: Bool?

    package enum Limit<Value: Codable & Sendable>: Sendable {
        case unchanged
        case none
        case some(Value)
    }

    package init(
        name: String? = nil, grants: [GrantBody]? = nil, verbs: [String]? = nil, notBefore: Limit<Int64> = .unchanged,
        expiresAt: Limit<Int64> = .unchanged, cidr: [String]? = nil, maxUses: Limit<Int> = .unchanged,
        ratePerMinute: Limit<Int> = .unchanged, paused: Bool? = nil
    ) {
        self.name = name
        self.grants = grants
        self.verbs = verbs
        self.notBefore = notBefore
        self.expiresAt = expiresAt
        self.cidr = cidr
        self.maxUses = maxUses
        self.ratePerMinute = ratePerMinute
        self.paused = paused
    }

    private enum Key: String, CodingKey {
        case name, grants, verbs, notBefore, expiresAt, cidr, maxUses, ratePerMinute, paused
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        func limit<Value>(_ key: Key) throws -> Limit<Value> {
            guard container.contains(key) else { return .unchanged }
            return try container.decodeIfPresent(Value.self, forKey: key).map(Limit.some) ?? .none
        }
        name = try container.decodeIfPresent(String.self, forKey: .name)
        grants = try container.decodeIfPresent([GrantBody].self, forKey: .grants)
        verbs = try container.decodeIfPresent([String].self, forKey: .verbs)
        notBefore = try limit(.notBefore)
        expiresAt = try limit(.expiresAt)
        cidr = try container.decodeIfPresent([String].self, forKey: .cidr)
        maxUses = try limit(.maxUses)
        ratePerMinute = try limit(.ratePerMinute)
        paused = try container.decodeIfPresent(Bool.self, forKey: .paused)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        func encode<Value>(_ limit: Limit<Value>, _ key: Key) throws {
            switch limit {
            case .unchanged: break
            case .none: try container.encodeNil(forKey: key)
            case .some(let value): try container.encode(value, forKey: key)
            }
        }
        try container.encodeIfPresent(name, forKey: .name)
        try container.encodeIfPresent(grants, forKey: .grants)
        try container.encodeIfPresent(verbs, forKey: .verbs)
        try encode(notBefore, .notBefore)
        try encode(expiresAt, .expiresAt)
        try container.encodeIfPresent(cidr, forKey: .cidr)
        try encode(maxUses, .maxUses)
        try encode(ratePerMinute, .ratePerMinute)
        try container.encodeIfPresent(paused, forKey: .paused)
    }
}

package struct AgentBody: Codable, Equatable, Sendable {
    package var id: String
    package var name: String
    package var grants: [GrantBody]
    package var verbs: [String]
    package var notBefore: Int64?
    package var expiresAt: Int64?
    package var cidr: [String]
    package var maxUses: Int?
    package var ratePerMinute: Int?
    /// `active`, `paused`, `suspended` (by a restore from backup), `expired`, `used-up` or `not-yet`.
    package var state: String
    package var uses: Int
    package var createdAt: Int64

    package init(
        id: String, name: String, grants: [GrantBody], verbs: [String], notBefore: Int64?, expiresAt: Int64?,
        cidr: [String], maxUses: Int?, ratePerMinute: Int?, state: String, uses: Int, createdAt: Int64
    ) {
        self.id = id
        self.name = name
        self.grants = grants
        self.verbs = verbs
        self.notBefore = notBefore
        self.expiresAt = expiresAt
        self.cidr = cidr
        self.maxUses = maxUses
        self.ratePerMinute = ratePerMinute
        self.state = state
        self.uses = uses
        self.createdAt = createdAt
    }
}

package struct AgentListBody: Codable, Sendable {
    package var agents: [AgentBody]
    package var next: String?

    package init(agents: [AgentBody], next: String? = nil) {
        self.agents = agents
        self.next = next
    }
}

/// A new or rotated agent, with its token. The token is never shown again.
package struct AgentTokenBody: Codable, Equatable, Sendable {
    package var id: String
    package var token: String
    package var agent: AgentBody
    /// The disclosures of the old token, after a rotation.
    package var disclosures: DisclosuresBody?

    package init(id: String, token: String, agent: AgentBody, disclosures: DisclosuresBody?) {
        self.id = id
        self.token = token
        self.agent = agent
        self.disclosures = disclosures
    }
}

/// The fields that an agent can read and has read: what to change when its token is lost.
package struct DisclosuresBody: Codable, Equatable, Sendable {
    package var canRead: [Field]
    package var didRead: [Read]
    /// False if some rows could not be read, so that more may have been disclosed.
    package var isComplete: Bool

    package struct Field: Codable, Equatable, Hashable, Sendable {
        package var entry: String
        package var field: String

        package init(entry: String, field: String) {
            self.entry = entry
            self.field = field
        }
    }

    package struct Read: Codable, Equatable, Sendable {
        package var entry: String
        package var field: String
        package var version: Int
        package var lastAt: Int64
        package var count: Int
        /// One-time codes generated from the value, which was not itself disclosed. Nil from a node that does not count them.
        package var codes: Int?

        package init(entry: String, field: String, version: Int, lastAt: Int64, count: Int, codes: Int?) {
            self.entry = entry
            self.field = field
            self.version = version
            self.lastAt = lastAt
            self.count = count
            self.codes = codes
        }
    }

    package init(canRead: [Field], didRead: [Read], isComplete: Bool) {
        self.canRead = canRead
        self.didRead = didRead
        self.isComplete = isComplete
    }
}

/// `GET /api/v1/audit`: newest first.
package struct AuditBody: Codable, Equatable, Sendable {
    package var lines: [Line]
    package var next: String?

    package struct Line: Codable, Equatable, Sendable {
        package var sequence: Int64
        package var at: Int64
        package var action: String
        package var outcome: String
        /// `owner`, `agent`, `node`, `operator` or `stranger` (unauthenticated).
        package var actorKind: String
        package var actor: String?
        /// Names of agents, including revoked ones.
        package var actorName: String?
        package var subjectName: String?
        package var from: String?
        package var entry: String?
        package var field: String?
        package var version: Int?
        package var subject: String?
        package var reason: String?
        /// The number of events within the minute, for a line that represents several.
        package var count: Int?
        /// Kit and passkeys that a change of password, a recovery or a sign-out kept, and those that it ended.
        package var kept: [String]?
        package var ended: [String]?

        package init(
            sequence: Int64, at: Int64, action: String, outcome: String, actorKind: String, actor: String?,
            from: String?, entry: String?, field: String?, version: Int?, subject: String?, reason: String?, count: Int?
        ) {
            self.sequence = sequence
            self.at = at
            self.action = action
            self.outcome = outcome
            self.actorKind = actorKind
            self.actor = actor
            self.from = from
            self.entry = entry
            self.field = field
            self.version = version
            self.subject = subject
            self.reason = reason
            self.count = count
        }
    }

    package init(lines: [Line], next: String?) {
        self.lines = lines
        self.next = next
    }
}
