import Crypto
package import VaultFormat

/// Management of a vault's agents by its owner.
package struct Agents: Sendable {
    let entries: Entries
    /// Maximum fields that a new agent, or new grants, may cover: their wraps are written in one commit, for which others wait.
    static let mostFields = 4_096
    var store: any VaultStore { entries.store }
    var keys: NodeKeys { entries.keys }
    package var now: Int64 { entries.now() }

    package init(entries: Entries) {
        self.entries = entries
    }

    /// Name, grants and policy of a new or changed agent.
    package struct Draft: Sendable {
        package var name: String
        package var grants: [Grant]
        package var policy: AgentPolicy

        private static let mostGrants = 64
        /// Maximum fields and labels in all grants together: every change of an entry compares them.
        private static let mostNames = 512
        private static let mostNetworks = 64

        package init(name: String, grants: [Grant], policy: AgentPolicy) {
            self.name = name
            self.grants = grants
            self.policy = policy
        }

        func validate() throws(VaultError) {
            guard !name.isEmpty, name.utf8.count <= 256 else { throw .invalid("name", "must have 1 to 256 bytes") }
            guard grants.count <= Self.mostGrants else {
                throw .invalid("grants", "must be at most \(Self.mostGrants)")
            }
            guard grants.reduce(0, { $0 + ($1.only?.count ?? 0) }) <= Self.mostNames else {
                throw .invalid("grants", "must name at most \(Self.mostNames) fields and labels in all")
            }
            guard policy.cidr.count <= Self.mostNetworks else {
                throw .invalid("cidr", "must contain at most \(Self.mostNetworks) networks")
            }
            guard !policy.verbs.isEmpty else { throw .invalid("verbs", "must contain read, write, deposit or totp") }
            if grants.isEmpty, policy.verbs != [.deposit] {
                throw .invalid("grants", "must not be empty unless the only verb is deposit")
            }
            if let from = policy.notBefore, let to = policy.expiresAt, from >= to {
                throw .invalid("expiresAt", "must be after notBefore")
            }
            if let uses = policy.maxUses, uses < 1 { throw .invalid("maxUses", "must be at least 1") }
            if let rate = policy.ratePerMinute, rate < 1 { throw .invalid("ratePerMinute", "must be at least 1") }
            for grant in grants {
                if case .tag(let tag) = grant.scope {
                    guard !tag.isEmpty, tag.utf8.count <= EntryLimits.tag else {
                        throw .invalid("grants.tag", "must have 1 to \(EntryLimits.tag) bytes")
                    }
                }
                guard let only = grant.only else { continue }
                guard only.allSatisfy({ $0.utf8.count <= EntryLimits.label }) else {
                    throw .invalid("grants.labels", "must have at most \(EntryLimits.label) bytes each")
                }
                guard !only.isEmpty, only.count <= EntryLimits.fields else {
                    throw .invalid("grants", "must name at least one field, or \"*\"")
                }
                if case .entry = grant.scope, only.contains(where: { FieldID(text: $0)?.isReserved ?? true }) {
                    throw .invalid("grants.fields", "must contain field ids only")
                }
            }
        }
    }

    /// A new agent with its key holder, for which the caller creates the token.
    package struct Created: Sendable {
        package let holder: HolderKey
        package let agent: AgentView
    }

    /// Lists agents after an id, in the order of their ids.
    package func list(
        after id: PrincipalID? = nil, limit: Int = 200, as principal: Principal
    ) async throws -> Page<AgentView> {
        try principal.authorize(.viewAgents, at: now)
        return try await entries.work.run(as: principal, in: store) {
            let page = try await store.agents(
                of: principal.vault, for: principal.holder.id, after: id, limit: PageLimit(rows: limit))
            return Page(items: try page.items.map { try view($0, by: principal) }, hasMore: page.hasMore)
        }
    }

    package func view(_ id: PrincipalID, as principal: Principal) async throws -> AgentView {
        try view(try await stored(id, as: principal), by: principal)
    }

    /// Creates an agent and wraps the keys that its grants cover now.
    ///
    /// `credential`: Creates the row of the credential that opens the key holder.
    package func create(
        _ draft: Draft, as principal: Principal, credential: @escaping @Sendable (Created) throws -> [Mutation]
    ) async throws -> Created {
        let permit = try principal.authorize(.createAgent, at: now)
        try draft.validate()
        try draft.policy.requireFutureEnd(at: now)
        try entries.operations.spend(principal.vault)
        return try await entries.unit.change(permit) { transaction in
            // Checked before the expensive work.
            try await entries.requireRoom(for: [.agents, .bytes], as: principal)
            try await checkEntries(draft.grants, as: principal)
            let holder = HolderKey.generate()
            let id = PrincipalID.random()
            let agent = StoredAgent(
                id: id, holder: holder.id, vault: principal.vault, state: .active,
                policy: try sealed(draft.policy, id, principal), recordVersion: 1, uses: 0, created: entries.now())
            let created = Created(holder: holder, agent: view(agent, draft))
            transaction.write(.stayWithin(entries.quotas, principal.vault))
            transaction.write(try insertion(of: holder, for: id, principal), .insertAgent(agent))
            transaction.write(try record(draft, of: id, version: 1, principal))
            transaction.write(try credential(created))
            let granted = try await grantable(draft, upTo: Self.mostFields, as: principal)
            transaction.write(try wraps(granted, for: holder, principal))
            var event = principal.event(.agentCreate, subject: id.text)
            event.holder = holder.id.text
            try transaction.log(charging: events(event, holding: granted.map(\.place), by: id, principal))
            return created
        }
    }

    /// Replaces the agent's key holder and token; it can open what it could before. The old token is invalid from then on.
    package func rotate(
        _ id: PrincipalID, as principal: Principal, credential: @escaping @Sendable (Created) throws -> [Mutation]
    ) async throws -> (created: Created, ended: Ended) {
        let permit = try principal.authorize(.rotateAgent, at: now)
        return try await entries.unit.change(permit) { transaction in
            let agent = try await stored(id, as: principal)
            // `urgent`: the owner can rotate a token after agents have used up the day's operations.
            try entries.operations.spend(principal.vault, share: .urgent)
            let ended = Ended(id: id, places: try await readable(by: id, as: principal))
            let holder = HolderKey.generate()
            let created = Created(holder: holder, agent: try view(agent, by: principal))
            let places = try await store.places(of: id, in: principal.vault)
            transaction.write(.switchAgent(id, vault: principal.vault, from: agent.holder, to: holder.id))
            transaction.write(try credential(created))
            var event = principal.event(.agentRotate, subject: id.text)
            event.holder = holder.id.text
            try transaction.log(charging: [event], share: .urgent)
            transaction.end(agent.holder)
            // All checks are done. If one of the commits below fails, the new key holder is deleted.
            do {
                try await giveInParts(Array(places), to: holder, of: id, principal)
                try await transaction.commit()
            } catch {
                await store.clear(holder.id)
                throw error
            }
            return (created, ended)
        }
    }

    /// The fields that an agent can read; nil when its rows could not be read.
    ///
    /// - Throws: `VaultError.busy` when too many vaults are suspended in the work queue.
    private func readable(
        by id: PrincipalID, as principal: Principal
    ) async throws(VaultError) -> [FieldPlace]? {
        do {
            return try await store.readable(by: id, in: principal.vault)
        } catch VaultError.busy {
            throw .busy
        } catch {
            return nil
        }
    }

    /// A revoked agent, or one whose token was replaced.
    package struct Ended: Sendable {
        package let id: PrincipalID
        /// The L1 fields that it could open at the end, in order; nil when its rows could not be read.
        package let places: [FieldPlace]?
    }

    /// Revokes an agent: deletes its key holder, credential and wraps, and keeps its name. Errors of earlier steps do not prevent
    /// the commit.
    @discardableResult
    package func revoke(_ id: PrincipalID, as principal: Principal) async throws -> Ended {
        try await entries.unit.change(try principal.authorize(.revokeAgent, at: now)) { transaction in
            // Under the lock no wrap is added or removed.
            let ended = Ended(id: id, places: try? await store.readable(by: id, in: principal.vault))
            let known = try? await readNames(of: [id], as: principal)[id]
            let name = try self.name(known ?? id.text, of: id, principal)
            guard let agent = try store.agentRow(id, in: principal.vault) else { throw VaultError.noSuchAgent }
            transaction.write(.deleteAgent(id, vault: principal.vault, leaving: name))
            try transaction.log(principal.event(.agentRevoke, subject: id.text))
            transaction.end(agent.holder)
            return ended
        }
    }
}
