package import IPNetworks
package import VaultFormat

/// An authenticated party and its rights: the owner with a session, or an agent. Its key holder was opened with the credential of
/// the request.
package struct Principal: Sendable {
    package let vault: VaultID
    package let holder: HolderKey
    package let role: Role
    package let from: IPAddress?
    /// An agent's encrypted policy as stored, so that the commit detects a change of it.
    package let policyBox: [UInt8]?

    package enum Role: Sendable {
        /// `since`: Time of the password or kit proof, in Unix seconds.
        case owner(session: CredentialID, since: Int64)
        case agent(PrincipalID, AgentPolicy)
    }

    package init(vault: VaultID, holder: HolderKey, role: Role, from: IPAddress?, policyBox: [UInt8]? = nil) {
        self.vault = vault
        self.holder = holder
        self.role = role
        self.from = from
        self.policyBox = policyBox
    }

    /// Stays the same when the key holder is replaced.
    package var id: PrincipalID {
        switch role {
        case .owner: vault.owner
        case .agent(let id, _): id
        }
    }

    /// The owner's session; nil for an agent.
    package var session: CredentialID? {
        switch role {
        case .owner(let session, _): session
        case .agent: nil
        }
    }

    /// The party whose share of the vault's budgets it uses.
    package var party: Party {
        switch role {
        case .owner: .owner
        case .agent: .agents
        }
    }

    package var visibility: Visibility {
        switch role {
        case .owner: .wholeVault
        case .agent: .heldKeys
        }
    }

    package func event(
        _ action: AuditEvent.Action, outcome: AuditEvent.Outcome = .ok, entry: EntryID? = nil, field: FieldID? = nil,
        version: Int? = nil, subject: String? = nil, reason: String? = nil
    ) -> AuditEvent {
        let kind: AuditEvent.Actor.Kind =
            switch role {
            case .owner: .owner
            case .agent: .agent
            }
        return AuditEvent(
            action, by: .init(kind, id), from: from?.text, outcome: outcome, entry: entry,
            field: field, version: version, subject: subject, reason: reason)
    }
}

/// A vault's owner, or all its agents together: each party has its own share of processor time, memory and operations, so that
/// agents cannot use up what the owner needs to stop them.
package enum Party: Hashable, Sendable {
    case owner, agents
}

/// The rows of a vault that a principal can read.
package enum Visibility: Sendable {
    /// Every row, with details, history and trash.
    case wholeVault
    /// Current versions that it has a wrap for.
    case heldKeys
}
