package import IPNetworks
package import VaultFormat

/// The policy that a running node enforces for an agent. Which fields the agent can decrypt is decided by its wraps instead.
package struct AgentPolicy: Codable, Equatable, Sendable {
    package var verbs: Set<Verb>
    /// Unix seconds.
    package var notBefore: Int64?
    package var expiresAt: Int64?
    /// Networks from which the token is accepted; empty for any.
    package var cidr: [IPNetwork]
    package var maxUses: Int?
    package var ratePerMinute: Int?

    package typealias Verb = AgentVerb

    package init(
        verbs: Set<Verb> = [.read], notBefore: Int64? = nil, expiresAt: Int64? = nil, cidr: [IPNetwork] = [],
        maxUses: Int? = nil, ratePerMinute: Int? = nil
    ) {
        self.verbs = verbs
        self.notBefore = notBefore
        self.expiresAt = expiresAt
        self.cidr = cidr
        self.maxUses = maxUses
        self.ratePerMinute = ratePerMinute
    }

    /// Returns why the token is refused at this time and from this address; nil when it is accepted.
    package func refusal(at now: Int64, from address: IPAddress?) -> Refusal? {
        if let notBefore, now < notBefore { return .notYet }
        if let expiresAt, now >= expiresAt { return .expired }
        if !cidr.isEmpty {
            guard let address, cidr.contains(where: { $0.contains(address) }) else { return .network }
        }
        return nil
    }

    /// Rejects an expiry in the past, which is a mistake of the client.
    ///
    /// - Throws: `VaultError.invalid`.
    func requireFutureEnd(at now: Int64) throws(VaultError) {
        guard expiresAt ?? .max > now else { throw .invalid("expiresAt", "must be in the future") }
    }

    /// Whether the agent gets keys of values. Without these verbs it gets those of labels only, with which it can write.
    package var opensValues: Bool { verbs.contains(.read) || verbs.contains(.totp) }

    /// Whether the policy allows nothing that `other` does not.
    package func isWithin(_ other: AgentPolicy) -> Bool {
        // The verb read includes totp.
        let allowed = other.verbs.contains(.read) ? other.verbs.union([.totp]) : other.verbs
        let networks =
            other.cidr.isEmpty
            || !cidr.isEmpty && cidr.allSatisfy { network in other.cidr.contains { $0.contains(network) } }
        return verbs.isSubset(of: allowed) && networks
            && (notBefore ?? .min) >= (other.notBefore ?? .min) && (expiresAt ?? .max) <= (other.expiresAt ?? .max)
            && (maxUses ?? .max) <= (other.maxUses ?? .max)
            && (ratePerMinute ?? .max) <= (other.ratePerMinute ?? .max)
    }

    package enum Refusal: String, Sendable {
        case notYet = "not-yet"
        case expired
        case network
    }
}

/// Access to fields of one entry, or of all entries with a tag.
package struct Grant: Codable, Equatable, Sendable {
    package var scope: Scope
    /// Field ids or labels; nil for every L1 field.
    package var only: [String]?

    package enum Scope: Equatable, Sendable {
        /// `only` contains field ids.
        case entry(EntryID)
        /// `only` contains labels. Tags and labels are compared `caseless`.
        case tag(String)
    }

    package init(scope: Scope, only: [String]?) {
        self.scope = scope
        self.only = only
    }

    private enum Key: String, CodingKey { case entry, tag, fields, labels }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        if let text = try container.decodeIfPresent(String.self, forKey: .entry) {
            guard let id = EntryID(text: text) else {
                throw DecodingError.dataCorruptedError(forKey: .entry, in: container, debugDescription: "not an id")
            }
            self.init(scope: .entry(id), only: try container.decodeIfPresent([String].self, forKey: .fields))
        } else {
            let tag = try container.decode(String.self, forKey: .tag)
            self.init(scope: .tag(tag), only: try container.decodeIfPresent([String].self, forKey: .labels))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        switch scope {
        case .entry(let id):
            try container.encode(id.text, forKey: .entry)
            try container.encodeIfPresent(only, forKey: .fields)
        case .tag(let tag):
            try container.encode(tag, forKey: .tag)
            try container.encodeIfPresent(only, forKey: .labels)
        }
    }
}

/// An agent's rows. The node can open its policy, the owner its record.
package struct StoredAgent: Sendable {
    package var id: PrincipalID
    /// The current key holder. Replaced by a rotation.
    package var holder: HolderID
    package var vault: VaultID
    package var state: State
    /// `AgentPolicy` as JSON, encrypted in the node tier.
    package var policy: [UInt8]
    package var recordVersion: Int
    package var uses: Int
    package var created: Int64
    /// Encrypted in the node tier. Empty when it was not read.
    package var publicKey: [UInt8]
    /// Name and grants with the owner's wrap. Nil when it was not read.
    package var record: StoredPart?

    package enum State: Int, Sendable {
        case active = 0
        case paused = 1
        /// Suspended by a restore from backup, because changes after the backup are unknown.
        case suspended = 2
    }

    package init(
        id: PrincipalID, holder: HolderID, vault: VaultID, state: State, policy: [UInt8], recordVersion: Int, uses: Int,
        created: Int64,
        publicKey: [UInt8] = [], record: StoredPart? = nil
    ) {
        self.id = id
        self.holder = holder
        self.vault = vault
        self.state = state
        self.policy = policy
        self.recordVersion = recordVersion
        self.uses = uses
        self.created = created
        self.publicKey = publicKey
        self.record = record
    }
}

/// An agent as shown to its owner.
package struct AgentView: Equatable, Sendable {
    package var id: PrincipalID
    package var name: String
    package var grants: [Grant]
    package var policy: AgentPolicy
    package var state: StoredAgent.State
    package var uses: Int
    package var created: Int64

    /// Whether the token is accepted, leaving networks aside.
    package enum Condition: String, CaseIterable, Sendable {
        case active, paused, suspended, expired
        case usedUp = "used-up"
        case notYet = "not-yet"
    }

    package func condition(at now: Int64) -> Condition {
        switch state {
        case .paused: return .paused
        case .suspended: return .suspended
        case .active: break
        }
        if let end = policy.expiresAt, now >= end { return .expired }
        if let most = policy.maxUses, uses >= most { return .usedUp }
        if let start = policy.notBefore, now < start { return .notYet }
        return .active
    }
}
