package import VaultFormat

/// Changes of an agent, and what of them only takes away.
extension AgentRoster {
    /// Changes name, grants, policy or whether it works at all. Keys follow the grants at once, both ways.
    ///
    /// `policy`: Changes the policy that the agent has when its turn comes, so that of two changes at once neither undoes
    /// the other.
    package func update(
        _ id: HolderID, name: String?, grants: [Grant]?, policy change: (@Sendable (inout AgentPolicy) throws -> Void)?,
        isPaused: Bool?, as principal: Principal
    ) async throws -> AgentView {
        // Pausing is what one does in a hurry.
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
            // A narrowing that the program's end cut short goes on when the agent is let work again.
            if grants != nil || resumes {
                let publicKey = try HolderPublicKey(
                    id: id, vault: principal.vault, stored: agent.publicKey, keys: keys)
                let present = try await store.places(of: id)
                let wanted = try await grantable(
                    draft.grants, upTo: max(Self.mostFields, present.count), as: principal, keeping: \.self)
                let places = Set(wanted.map(\.place))
                // What only takes away gives nothing, also not what a disk that was full has left out.
                let missing = narrows ? [] : wanted.filter { !present.contains($0.place) }
                // What a change that was cut short left out comes with it, as far as there is room.
                let new = grants == nil ? Array(missing.prefix(EntryLimits.sealedKeys)) : missing
                guard new.count <= EntryLimits.sealedKeys else {
                    throw VaultError.invalid(
                        "grants",
                        "add more than \(EntryLimits.sealedKeys) fields at once; make a new agent, or add fewer at a time"
                    )
                }
                gone = Array(present.subtracting(places))
                for field in new {
                    let key = try field.dataKey(by: principal.holder, root: keys.root)
                    transaction.write(.putWrap(try publicKey.seal(key, at: field.place, root: keys.root)))
                }
                // Of an agent that was paused the log may say less than it has: a narrowing was cut short.
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
                transaction.write(gone.map { .dropWrap($0.entry, $0.field, id) } + [.updateAgent(agent)])
                return view(agent, draft)
            }
            // Many are dropped in parts, between which others commit; the agent is paused until it has none of them.
            var resting = agent
            resting.state = .paused
            transaction.write(.updateAgent(resting))
            try await transaction.commit()
            do {
                let vault = principal.vault
                let isDone = try await store.drop(gone, of: id) { [locks = entries.unit.locks] in locks.hasUrgent(vault)
                }
                guard isDone else { return view(resting, draft) }
                if agent.state == .active {
                    let back = Mutation.setAgentState(id, vault: vault, .active)
                    transaction.write(narrows ? [.narrows, back] : [back])
                    try await transaction.commit()
                }
                return view(agent, draft)
            } catch VaultError.readOnly {
                // Its owner sees that it is paused. The other keys go when it is resumed.
                return view(resting, draft)
            }
        }
    }

    /// Pauses an agent. Nothing is read or opened before it: a record that is damaged must not keep a token alive.
    private func pause(_ id: HolderID, as principal: Principal) async throws -> AgentView {
        try await entries.unit.change(try principal.authorize(.pauseAgent, at: now)) { transaction in
            // Nothing to do again, and no line for it.
            if (try? store.state(of: id, in: principal.vault)) == .paused { return }
            transaction.write(.setAgentState(id, vault: principal.vault, .paused))
            try transaction.log(principal.event(.agentUpdate, subject: id.text, reason: "paused"))
        }
        return try await view(id, as: principal)
    }
}

extension AgentRoster.Draft {
    init(old: AgentView) {
        self.init(name: old.name, grants: old.grants, policy: old.policy)
    }

    /// Whether it lets an agent do less than the other, and nothing that the other does not.
    ///
    /// `evenIfSame`: Something else takes away.
    func narrows(_ other: Self, evenIfSame: Bool = false) -> Bool {
        let (index, others) = (GrantIndex(grants), GrantIndex(other.grants))
        guard name == other.name, policy.isWithin(other.policy), index.isWithin(others) else { return false }
        return evenIfSame || !other.policy.isWithin(policy) || !others.isWithin(index)
    }
}
