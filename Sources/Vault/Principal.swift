package import IPNetworks

/// An authenticated party and its rights: the owner with a session, or an agent. Its key holder is open, because a credential
/// for it came with the request.
package struct Principal: Sendable {
    package let vault: VaultID
    package let holder: HolderKey
    package let role: Role
    package let from: IPAddress?
    /// An agent's policy as its row has it, so that a change of it is seen at the commit.
    let policyBox: [UInt8]?

    package enum Role: Sendable {
        /// `since` is when the password or kit was given, in Unix seconds.
        case owner(session: CredentialID, since: Int64)
        case agent(AgentPolicy)
    }

    package init(vault: VaultID, holder: HolderKey, role: Role, from: IPAddress?, policyBox: [UInt8]? = nil) {
        self.vault = vault
        self.holder = holder
        self.role = role
        self.from = from
        self.policyBox = policyBox
    }

    package var isOwner: Bool {
        if case .owner = role { true } else { false }
    }

    package func requireOwner() throws(VaultError) {
        guard isOwner else { throw .ownerOnly }
    }

    /// How old a session may be, in seconds, to do what could make a thief permanent.
    private static let freshness: Int64 = 600

    /// Throws `reauthenticate` unless the owner gave the password (or the kit) within the last ten minutes.
    package func requireFreshOwner(at now: Int64) throws(VaultError) {
        guard case .owner(_, let since) = role else { throw .ownerOnly }
        guard now - since < Self.freshness else { throw .reauthenticate }
    }

    /// The owner may do everything; an agent what its token says.
    package func require(_ verbs: AgentPolicy.Verb...) throws(VaultError) {
        guard case .agent(let policy) = role else { return }
        guard verbs.contains(where: policy.verbs.contains) else { throw .verbMissing(verbs[0]) }
    }

    /// Throws `principalGone` for an agent whose time ended while its request waited.
    func requireTime(at now: Int64) throws(VaultError) {
        guard case .agent(let policy) = role, let end = policy.expiresAt, now >= end else { return }
        throw .principalGone
    }

    /// For a commit that gives something out or writes for the principal: it must still be who it was when its request came,
    /// and each use is counted if the token has a maximum.
    func useMutations(_ uses: Int = 1) -> [Mutation] {
        switch role {
        case .owner(let session, _):
            [.expectPrincipal(holder.id, session: session, policy: nil)]
        case .agent(let policy):
            [.expectPrincipal(holder.id, session: nil, policy: policyBox)]
                + (policy.maxUses.map { [Mutation](repeating: .countUse(holder.id, maximum: $0), count: uses) } ?? [])
        }
    }

    package func event(
        _ action: AuditEvent.Action, outcome: AuditEvent.Outcome = .ok, entry: EntryID? = nil, field: FieldID? = nil,
        version: Int? = nil, subject: String? = nil, reason: String? = nil
    ) -> AuditEvent {
        AuditEvent(
            action, by: .init(isOwner ? .owner : .agent, holder.id), from: from?.text, outcome: outcome, entry: entry,
            field: field, version: version, subject: subject, reason: reason)
    }
}
