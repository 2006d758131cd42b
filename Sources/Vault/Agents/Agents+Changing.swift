package import VaultFormat

/// Changes of an agent.
extension Agents {
    /// Changes name, grants or policy, and pauses or resumes an agent. Keys are granted and revoked in the same operation.
    ///
    /// `policy`: Modifies the current policy under the vault's lock, so that concurrent changes do not undo each other.
    package func update(
        _ id: PrincipalID, name: String?, grants: [Grant]?,
        policy change: (@Sendable (inout AgentPolicy) throws -> Void)?,
        isPaused: Bool?, as principal: Principal
    ) async throws -> AgentView {
        // Pausing alone is urgent.
        if name == nil, grants == nil, change == nil, isPaused == true { return try await pause(id, as: principal) }
        let permit = try principal.authorize(.changeAgent, at: now)
        try entries.operations.spend(principal.vault)
        return try await entries.unit.change(permit) { transaction in
            var agent = try await stored(id, as: principal)
            let old = try view(agent, by: principal)
            var policy = old.policy
            try change?(&policy)
            let draft = Draft(name: name ?? old.name, grants: grants ?? old.grants, policy: policy)
            try draft.validate()
            let resumes = isPaused == false && old.state != .active
            let narrows =
                !resumes && draft.narrows(Draft(old: old), evenIfSame: isPaused == true && old.state == .active)
            if draft.policy.expiresAt != old.policy.expiresAt { try draft.policy.requireFutureEnd(at: now) }
            try await checkEntries(draft.grants, knowing: old.grants, as: principal)
            let event = principal.event(.agentUpdate, subject: id.text)
            transaction.write(entries.conditions(of: principal, narrows: narrows))
            var held: Set<FieldPlace>?
            var gone: [FieldPlace] = []
            if let isPaused { agent.state = isPaused ? .paused : .active }
            if change != nil { agent.policy = try sealed(policy, id, principal) }
            if name != nil || grants != nil {
                agent.recordVersion += 1
                transaction.write(try record(draft, of: id, version: agent.recordVersion, principal))
            }
            // Resuming an agent completes a narrowing change that a stop of the program interrupted.
            let opensOthers = policy.opensValues != old.policy.opensValues
            if grants != nil || resumes || opensOthers {
                let publicKey = try HolderPublicKey(agent, keys: keys)
                let present = try await store.places(of: id, in: principal.vault)
                let wanted = try await grantable(
                    draft, upTo: max(Self.mostFields, present.count), as: principal)
                let places = Set(wanted.map(\.place))
                // A narrowing change grants no keys, including those that a full disk left out before.
                let missing = narrows ? [] : wanted.filter { !present.contains($0.place) }
                // A resume also grants keys that an interrupted change left out, up to the limit of one commit.
                let new =
                    grants == nil && !opensOthers ? Array(missing.prefix(EntryLimits.sealedKeys)) : missing
                guard new.count <= EntryLimits.sealedKeys else {
                    throw VaultError.invalid(
                        "grants",
                        "must add at most \(EntryLimits.sealedKeys) fields at once; create a new agent, or add fewer at a time"
                    )
                }
                gone = Array(present.subtracting(places))
                for field in new {
                    let key = try field.dataKey(by: principal.holder, root: keys.root)
                    transaction.write(.putWrap(try publicKey.seal(key, at: field.place, root: keys.root)))
                }
                // A paused agent may still have wraps that the log lists as revoked: a narrowing change was interrupted.
                if !new.isEmpty || !gone.isEmpty || old.state != .active {
                    held = present.intersection(places).union(new.map(\.place))
                }
            }
            if let held {
                try transaction.log(charging: events(event, holding: Array(held), by: id, principal))
            } else {
                try transaction.log(event)
            }
            guard gone.count > store.mostDropped else {
                transaction.write(
                    gone.map { .dropWrap($0.entry, $0.partID, id, vault: $0.vault) } + [.updateAgent(agent)])
                return view(agent, draft)
            }
            // Many wraps are dropped in parts, between which others commit; the agent is paused until all are gone.
            var paused = agent
            paused.state = .paused
            transaction.write(.updateAgent(paused))
            try await transaction.commit()
            do {
                let vault = principal.vault
                let isDone = try await store.drop(gone, of: id) { [audit = entries.unit.audit] count in
                    var event = principal.event(.agentUpdate, subject: id.text, reason: "narrowed")
                    event.count = count
                    return try audit.seal(event, vault: vault)
                } hasUrgentWaiter: { [locks = entries.unit.locks] in
                    locks.hasUrgent(vault)
                }
                guard isDone else { return view(paused, draft) }
                if agent.state == .active {
                    let back = Mutation.setAgentState(id, vault: vault, .active)
                    transaction.write(narrows ? [.narrows, back] : [back])
                    try transaction.log(principal.event(.agentUpdate, subject: id.text, reason: "resumed"))
                    try await transaction.commit()
                }
                return view(agent, draft)
            } catch VaultError.readOnly {
                // The agent stays paused. The remaining wraps are dropped when it is resumed.
                return view(paused, draft)
            }
        }
    }

    /// Pauses an agent without reading its record, so that a damaged record cannot keep the token active.
    private func pause(_ id: PrincipalID, as principal: Principal) async throws -> AgentView {
        try await entries.unit.change(try principal.authorize(.pauseAgent, at: now)) { transaction in
            // Already paused: no change and no audit line.
            if (try? store.agentRow(id, in: principal.vault))?.state == .paused { return }
            transaction.write(.setAgentState(id, vault: principal.vault, .paused))
            try transaction.log(principal.event(.agentUpdate, subject: id.text, reason: "paused"))
        }
        return try await view(id, as: principal)
    }
}

extension Agents.Draft {
    init(old: AgentView) {
        self.init(name: old.name, grants: old.grants, policy: old.policy)
    }

    /// Whether the draft allows less than the other, and nothing that the other does not.
    ///
    /// `evenIfSame`: Also return true for equal drafts, for a change that narrows in another way.
    func narrows(_ other: Self, evenIfSame: Bool = false) -> Bool {
        let (index, others) = (GrantIndex(grants), GrantIndex(other.grants))
        guard name == other.name, policy.isWithin(other.policy), index.isWithin(others) else { return false }
        return evenIfSame || !other.policy.isWithin(policy) || !others.isWithin(index)
    }
}
