package import VaultFormat

/// The single authorization decision point for all interfaces.
///
/// Which fields an agent can decrypt is enforced by cryptography instead: the store returns only rows of the principal's
/// `Visibility`, and keys are wrapped for it or not.
package enum PolicyEngine {
    /// Maximum age of a session, in seconds, for actions that could give a thief permanent access.
    private static let freshness: Int64 = 600

    /// Evaluates an action.
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
            case .agents: return .deny(.invalid("deposit", "is for agents only; the owner creates entries directly"))
            }
        case .agent(_, let policy):
            switch action.rule {
            case .owner, .freshOwner: return .deny(.ownerOnly)
            case .verbs(let verbs):
                guard verbs.contains(where: policy.verbs.contains) else { return .deny(.verbMissing(verbs[0])) }
            case .agents(let verb):
                guard policy.verbs.contains(verb) else { return .deny(.verbMissing(verb)) }
            case .everyPrincipal: break
            }
            if let denial = resource.agentDenial { return .deny(denial) }
            return .permit(obligations(of: action, by: policy))
        }
    }

    /// An owner's changes run under the vault's lock, which checks the principal again; reads of values do not.
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

/// The result of an evaluation.
package enum Decision: Equatable, Sendable {
    case permit(Obligations)
    case deny(VaultError)
}

/// Conditions that a permitted action must fulfil in its commit.
package struct Obligations: Equatable, Sendable {
    /// The commit must verify that the principal and its policy are unchanged.
    package var confirmsPrincipal = false
    /// The commit must verify that the principal still has a wrap of each field that is read.
    package var confirmsKeys = false
    /// Maximum number of uses, each of which is counted.
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

/// The target of an action, as far as the decision depends on it.
package enum Resource: Sendable {
    case vault
    case entry(EntryState)
    case field(Tier)

    /// The error for agents, whatever their verbs. The resource does not exist for them.
    fileprivate var agentDenial: VaultError? {
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
        case .viewEntry, .listEntries, .listTrash, .listDeposits, .listVersions, .search, .searchIndex, .createEntry,
            .changeValues, .changeMetadata, .replaceEntry, .restoreVersion, .trashEntry, .untrashEntry, .purgeEntry,
            .deposit, .acceptDeposit, .rejectDeposit, .viewAgents, .viewDisclosures, .createAgent, .changeAgent,
            .pauseAgent, .rotateAgent, .revokeAgent, .readAudit, .viewAccount, .viewCredentials, .listSessions,
            .endSession, .changePassword, .signOutEverywhere, .changeRecoveryKit, .addPasskey, .renamePasskey,
            .removePasskey, .beginSecondFactor, .confirmSecondFactor, .endSecondFactor, .viewL2, .rekeyL2, .rekeyEntry,
            .deleteAccount:
            false
        }
    }

    /// Whether the action counts as a use of an agent's token: it reads a value, uses one or writes.
    fileprivate var isUse: Bool {
        switch self {
        case .readValue, .readPastValue, .readCode, .exportL2, .changeValues, .deposit: true
        case .viewEntry, .listEntries, .listTrash, .listDeposits, .listVersions, .search, .searchIndex, .createEntry,
            .changeMetadata, .replaceEntry, .restoreVersion, .trashEntry, .untrashEntry, .purgeEntry, .acceptDeposit,
            .rejectDeposit, .viewAgents, .viewDisclosures, .createAgent, .changeAgent, .pauseAgent, .rotateAgent,
            .revokeAgent, .readAudit, .viewAccount, .viewCredentials, .listSessions, .endSession, .changePassword,
            .signOutEverywhere, .changeRecoveryKit, .addPasskey, .renamePasskey, .removePasskey, .beginSecondFactor,
            .confirmSecondFactor, .endSecondFactor, .viewL2, .rekeyL2, .rekeyEntry, .deleteAccount:
            false
        }
    }
}

/// A permitted action. Only the policy engine creates it, and every change requires one.
package struct Permit: Sendable {
    package let principal: Principal
    package let action: Action
    package let obligations: Obligations

    fileprivate init(principal: Principal, action: Action, obligations: Obligations) {
        self.principal = principal
        self.action = action
        self.obligations = obligations
    }

    /// The mutations that fulfil the obligations in a commit.
    ///
    /// `reads`: Fields whose values are read.
    func mutations(uses: Int, reading reads: [FieldRead]) -> [Mutation] {
        var mutations: [Mutation] = []
        if obligations.confirmsPrincipal {
            mutations.append(
                .expectPrincipal(
                    principal.id, holder: principal.holder.id, in: principal.vault, session: principal.session,
                    policy: principal.policyBox))
        }
        if let maximum = obligations.maximumUses {
            for _ in 0..<uses { mutations.append(.countUse(principal.id, maximum: maximum)) }
        }
        // The owner may have revoked the field since it was looked up.
        if obligations.confirmsKeys {
            for read in reads {
                let place = read.place
                mutations.append(
                    .expectReader(principal.id, place.entry, place.field, vault: place.vault, record: read.record))
            }
        }
        return mutations
    }
}

extension Principal {
    /// Authorizes an action through the policy engine.
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

    /// Returns the owner's session.
    ///
    /// - Throws: `ownerOnly` for an agent.
    package func requireSession() throws(VaultError) -> CredentialID {
        guard let session else { throw .ownerOnly }
        return session
    }

    /// Throws `principalGone` for an agent whose policy expired while its request waited.
    func requireUnexpired(at time: Int64) throws(VaultError) {
        guard case .agent(_, let policy) = role, let end = policy.expiresAt, time >= end else { return }
        throw .principalGone
    }
}
