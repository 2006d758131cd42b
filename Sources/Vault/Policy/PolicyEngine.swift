package import VaultFormat

/// Decides what a principal may do. Every interface asks it, and nothing else decides.
///
/// Which fields an agent can open is cryptography and not decided here: the store reads a principal no other rows than
/// those of its `Visibility`, and their keys are wrapped for it or not.
package enum PolicyEngine {
    /// How old a session may be, in seconds, to do what could make a thief permanent.
    private static let freshness: Int64 = 600

    /// The decision over one action.
    ///
    /// `time`: Unix seconds.
    package static func evaluate(
        _ principal: Principal, _ action: Action, on resource: Resource = .vault, at time: Int64
    ) -> Decision {
        switch principal.role {
        case .owner(_, let since):
            switch action.rule {
            case .everyPrincipal, .owner, .verbs: return .permit(obligations(of: action))
            case .freshOwner:
                return time - since < freshness ? .permit(obligations(of: action)) : .deny(.reauthenticate)
            case .agents: return .deny(.invalid("deposit", "is for agents; the owner creates entries"))
            }
        case .agent(let policy):
            switch action.rule {
            case .owner, .freshOwner: return .deny(.ownerOnly)
            case .verbs(let verbs):
                guard verbs.contains(where: policy.verbs.contains) else { return .deny(.verbMissing(verbs[0])) }
            case .agents(let verb):
                guard policy.verbs.contains(verb) else { return .deny(.verbMissing(verb)) }
            case .everyPrincipal: break
            }
            if let denial = resource.denialToAgents { return .deny(denial) }
            return .permit(obligations(of: action, by: policy))
        }
    }

    /// The owner's changes run under the vault's lock, which looks at the principal again; what gives a value out does not.
    private static func obligations(of action: Action) -> Obligations {
        Obligations(confirmsPrincipal: action.disclosesValues)
    }

    private static func obligations(of action: Action, by policy: AgentPolicy) -> Obligations {
        guard action.isUse else { return Obligations() }
        return Obligations(
            confirmsPrincipal: true, confirmsKeys: action.disclosesValues, maximumUses: policy.maxUses,
            ratePerMinute: policy.ratePerMinute)
    }
}

/// What was decided, and what has to be kept to.
package enum Decision: Equatable, Sendable {
    case permit(Obligations)
    case deny(VaultError)
}

/// What a permitted action still has to fulfil when it is performed.
package struct Obligations: Equatable, Sendable {
    /// At the commit the principal must be what it was when its request came.
    package var confirmsPrincipal = false
    /// At the commit it must still hold the key of each field that is given out.
    package var confirmsKeys = false
    /// Each use is counted, up to this many.
    package var maximumUses: Int?
    package var ratePerMinute: Int?

    package init(
        confirmsPrincipal: Bool = false, confirmsKeys: Bool = false, maximumUses: Int? = nil, ratePerMinute: Int? = nil
    ) {
        self.confirmsPrincipal = confirmsPrincipal
        self.confirmsKeys = confirmsKeys
        self.maximumUses = maximumUses
        self.ratePerMinute = ratePerMinute
    }
}

/// What an action is done to, as far as the decision depends on it.
package enum Resource: Sendable {
    case vault
    case entry(EntryState)
    case field(Tier)

    /// Why an agent does not get it, whatever its verbs: for an agent it does not exist.
    fileprivate var denialToAgents: VaultError? {
        switch self {
        case .vault, .entry(.active), .field(.l1), .field(.metadata): nil
        case .entry: .noSuchEntry
        case .field(.l2): .noSuchField
        }
    }
}

extension Action {
    fileprivate var disclosesValues: Bool {
        switch self {
        case .readValue, .readPastValue, .readCode, .exportL2: true
        default: false
        }
    }

    /// Whether it counts as a use of an agent's token: what gives something out or writes.
    fileprivate var isUse: Bool { disclosesValues || self == .changeValues || self == .deposit }
}

/// An action that was permitted. Made by the policy engine alone, and needed for every change.
package struct Permit: Sendable {
    package let principal: Principal
    package let action: Action
    package let obligations: Obligations

    fileprivate init(principal: Principal, action: Action, obligations: Obligations) {
        self.principal = principal
        self.action = action
        self.obligations = obligations
    }

    /// The mutations by which a commit fulfils the obligations.
    ///
    /// `places`: Fields that are given out.
    package func mutations(uses: Int = 1, reading places: [FieldPlace] = []) -> [Mutation] {
        let holder = principal.holder.id
        var mutations: [Mutation] = []
        if obligations.confirmsPrincipal {
            mutations.append(.expectPrincipal(holder, session: principal.session, policy: principal.policyBox))
        }
        if let maximum = obligations.maximumUses {
            for _ in 0..<uses { mutations.append(.countUse(holder, maximum: maximum)) }
        }
        // Between finding and this, an owner may have taken it from an agent.
        if obligations.confirmsKeys {
            for place in places { mutations.append(.expectWrap(holder, place.entry, place.field)) }
        }
        return mutations
    }
}

extension Principal {
    /// Asks the policy engine.
    ///
    /// - Throws: The reason of a denial.
    @discardableResult
    package func authorize(
        _ action: Action, on resource: Resource = .vault, at time: Int64
    ) throws(VaultError) -> Permit {
        switch PolicyEngine.evaluate(self, action, on: resource, at: time) {
        case .permit(let obligations): return Permit(principal: self, action: action, obligations: obligations)
        case .deny(let reason): throw reason
        }
    }

    /// The session of an owner.
    ///
    /// - Throws: `ownerOnly`.
    package func requireSession() throws(VaultError) -> CredentialID {
        guard let session else { throw .ownerOnly }
        return session
    }

    /// Throws `principalGone` for an agent whose time ended while its request waited.
    func requireUnexpired(at time: Int64) throws(VaultError) {
        guard case .agent(let policy) = role, let end = policy.expiresAt, time >= end else { return }
        throw .principalGone
    }
}
