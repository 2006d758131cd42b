import Crypto

/// The agents of a vault, as their owner manages them.
package struct AgentRoster: Sendable {
    private let entries: Entries

    private var store: any VaultStore { entries.store }
    private var keys: NodeKeys { entries.keys }

    package init(entries: Entries) {
        self.entries = entries
    }

    /// What a new agent is to be.
    package struct Draft: Sendable {
        package var name: String
        package var grants: [Grant]
        package var policy: AgentPolicy

        package init(name: String, grants: [Grant], policy: AgentPolicy) {
            self.name = name
            self.grants = grants
            self.policy = policy
        }

        func validate() throws(VaultError) {
            guard !name.isEmpty, name.utf8.count <= 256 else { throw .invalid("name", "1 to 256 bytes") }
            guard grants.count <= 64 else { throw .invalid("grants", "at most 64") }
            guard !policy.verbs.isEmpty else { throw .invalid("verbs", "at least one of read, write, deposit, totp") }
            if grants.isEmpty, policy.verbs != [.deposit] {
                throw .invalid("grants", "an agent without grants can only deposit")
            }
            if let from = policy.notBefore, let to = policy.expiresAt, from >= to {
                throw .invalid("expiresAt", "must be after notBefore")
            }
            if let uses = policy.maxUses, uses < 1 { throw .invalid("maxUses", "at least 1") }
            if let rate = policy.ratePerMinute, rate < 1 { throw .invalid("ratePerMinute", "at least 1") }
            guard policy.cidr.count <= 64 else { throw .invalid("cidr", "at most 64") }
            for grant in grants {
                guard let only = grant.only else { continue }
                guard !only.isEmpty, only.count <= EntryLimits.fields else {
                    throw .invalid("grants", "name at least one field, or \"*\"")
                }
                if case .entry = grant.scope, only.contains(where: { FieldID(text: $0)?.isReserved ?? true }) {
                    throw .invalid("grants.fields", "holds something that is no field id")
                }
            }
        }
    }

    /// An agent's holder and what its owner can say about it; the token is the caller's to make.
    package struct Created: Sendable {
        package let holder: HolderKey
        package let agent: AgentView
    }

    package func list(as caller: Caller) async throws -> [AgentView] {
        try caller.requireOwner()
        return try await store.agents(of: caller.vault, for: caller.holder.id).map { try view($0, by: caller) }
    }

    package func view(_ id: HolderID, as caller: Caller) async throws -> AgentView {
        try view(try await stored(id, as: caller), by: caller)
    }

    /// Adds an agent and gives it what its grants cover now.
    ///
    /// `credential`: Makes the row that will open the holder, given the holder.
    package func create(
        _ draft: Draft, as caller: Caller, credential: @Sendable (Created) throws -> [Step]
    ) async throws -> Created {
        try caller.requireFreshOwner(at: entries.now())
        try draft.validate()
        return try await entries.locks.withLock(for: caller, in: store) {
            try await checkEntries(draft.grants, as: caller)
            let holder = HolderKey.generate()
            let agent = StoredAgent(
                holder: holder.id, vault: caller.vault, state: .active,
                policy: try sealed(draft.policy, holder.id, caller),
                recordVersion: 1, uses: 0, created: entries.now())
            let created = Created(holder: holder, agent: view(agent, draft))
            var steps = try insertion(of: agent, holder, caller)
            steps += try record(draft, of: holder.id, version: 1, caller)
            steps += try credential(created)
            let granted = try await grantable(draft.grants, as: caller)
            steps += try wraps(granted, for: holder, caller)
            var event = caller.event(.agentCreate, subject: holder.id.text)
            event.holds = holds(granted)
            try await store.commit(steps, [try entries.audit.seal(event, vault: caller.vault)])
            return created
        }
    }

    /// Changes name, grants, policy or whether it works at all. Keys follow the grants at once, both ways.
    package func update(
        _ id: HolderID, name: String?, grants: [Grant]?, policy: AgentPolicy?, isPaused: Bool?, as caller: Caller
    ) async throws -> AgentView {
        // Pausing is what one does in a hurry; anything else could widen.
        let isPauseOnly = name == nil && grants == nil && policy == nil && isPaused == true
        if isPauseOnly { try caller.requireOwner() } else { try caller.requireFreshOwner(at: entries.now()) }
        return try await entries.locks.withLock(for: caller, in: store) {
            var agent = try await stored(id, as: caller)
            let old = try view(agent, by: caller)
            let draft = Draft(name: name ?? old.name, grants: grants ?? old.grants, policy: policy ?? old.policy)
            try draft.validate()
            try await checkEntries(grants ?? [], as: caller)
            var event = caller.event(.agentUpdate, subject: id.text)
            var steps: [Step] = []
            if let isPaused { agent.state = isPaused ? .paused : .active }
            if let policy { agent.policy = try sealed(policy, id, caller) }
            if name != nil || grants != nil {
                agent.recordVersion += 1
                steps += try record(draft, of: id, version: agent.recordVersion, caller)
            }
            if grants != nil {
                let reader = AgentReader(
                    holder: id, grants: draft.grants,
                    publicKey: try HolderPublicKey(id: id, vault: caller.vault, stored: agent.publicKey, keys: keys))
                let wanted = try await grantable(draft.grants, as: caller)
                let present = try await store.places(of: id)
                let places = Set(wanted.map(\.value.place))
                for place in present.subtracting(places) { steps.append(.dropWrap(place.entry, place.field, id)) }
                for part in wanted where !present.contains(part.value.place) {
                    let key = try part.dataKey(by: caller.holder, root: keys.root)
                    steps.append(.putWrap(try reader.publicKey.seal(key, at: part.value.place, root: keys.root)))
                }
                event.holds = holds(wanted)
            }
            steps.append(.updateAgent(agent))
            try await store.commit(steps, [try entries.audit.seal(event, vault: caller.vault)])
            return view(agent, draft)
        }
    }

    /// Gives the agent a new holder and a new token; the old ones open nothing from now on.
    package func rotate(
        _ id: HolderID, as caller: Caller, credential: @Sendable (Created) throws -> [Step]
    ) async throws -> Created {
        try caller.requireFreshOwner(at: entries.now())
        return try await entries.locks.withLock(for: caller, in: store) {
            let old = try await stored(id, as: caller)
            let draft = Draft(old: try view(old, by: caller))
            let holder = HolderKey.generate()
            let agent = StoredAgent(
                holder: holder.id, vault: caller.vault, state: old.state,
                policy: try sealed(draft.policy, holder.id, caller), recordVersion: 1, uses: old.uses,
                created: entries.now())
            let created = Created(holder: holder, agent: view(agent, draft))
            let granted = try await grantable(draft.grants, as: caller)
            var steps = try insertion(of: agent, holder, caller)
            steps += try record(draft, of: holder.id, version: 1, caller)
            steps += try credential(created)
            steps += try wraps(granted, for: holder, caller)
            steps.append(.deleteHolder(id))
            var event = caller.event(.agentRotate, subject: id.text)
            event.successor = holder.id.text
            event.holds = holds(granted)
            try await store.commit(steps, [try entries.audit.seal(event, vault: caller.vault)])
            try await store.forgetDeleted()
            return created
        }
    }

    /// Ends an agent: holder, credential and wraps are deleted.
    package func revoke(_ id: HolderID, as caller: Caller) async throws {
        try caller.requireOwner()
        try await entries.locks.withLock(for: caller, in: store) {
            _ = try await stored(id, as: caller)
            let event = caller.event(.agentRevoke, subject: id.text)
            try await store.commit([.deleteHolder(id)], [try entries.audit.seal(event, vault: caller.vault)])
            try await store.forgetDeleted()
        }
    }

    // MARK: Records

    private func stored(_ id: HolderID, as caller: Caller) async throws -> StoredAgent {
        try caller.requireOwner()
        let agents = try await store.agents(of: caller.vault, for: caller.holder.id)
        guard let agent = agents.first(where: { $0.holder == id }) else { throw VaultError.noSuchAgent }
        return agent
    }

    private func view(_ agent: StoredAgent, by caller: Caller) throws -> AgentView {
        guard let record = agent.record else { throw VaultError.damaged("an agent without a record") }
        let text = try AgentText(jsonBytes: try record.open(by: caller.holder, root: keys.root))
        let policy = try keys.policy(of: agent)
        return view(agent, Draft(name: text.name, grants: text.grants, policy: policy))
    }

    private func view(_ agent: StoredAgent, _ draft: Draft) -> AgentView {
        AgentView(
            id: agent.holder, name: draft.name, grants: draft.grants, policy: draft.policy, state: agent.state,
            uses: agent.uses, created: agent.created)
    }

    private func record(_ draft: Draft, of id: HolderID, version: Int, _ caller: Caller) throws -> [Step] {
        // An agent's record is a value at the agent's own place, so that a change of owner re-wraps it too.
        let place = FieldPlace(
            vault: caller.vault, entry: .record(of: id), field: .title, tier: .metadata, version: version)
        let key = SymmetricKey(size: .bits256)
        let text = try AgentText(name: draft.name, grants: draft.grants).jsonBytes()
        let box = Box.seal(text, key: key, context: place.valueContext)
        return [
            .putValue(StoredValue(place: place, box: box, written: entries.now(), author: caller.holder.id)),
            .putWrap(caller.holder.wrap(key, at: place)),
        ]
    }

    private func sealed(_ policy: AgentPolicy, _ id: HolderID, _ caller: Caller) throws -> [UInt8] {
        keys.sealNodeTier(try policy.jsonBytes(), .policy, vault: caller.vault, id: id.bytes)
    }

    private func insertion(of agent: StoredAgent, _ holder: HolderKey, _ caller: Caller) throws -> [Step] {
        let publicKey = try holder.storedPublicKey(vault: caller.vault, isOwner: false, keys: keys)
        return [
            .insertHolder(HolderRow(id: holder.id, vault: caller.vault, isOwner: false, publicKey: publicKey)),
            .insertAgent(agent),
        ]
    }

    // MARK: Grants

    /// Every part that the grants cover now: the L1 fields, and the title of each entry that has one.
    private func grantable(_ grants: [Grant], as caller: Caller) async throws -> [StoredPart] {
        var parts: [StoredPart] = []
        for stored in try await candidates(grants, as: caller) {
            let open = try OpenEntry(stored, by: caller, root: keys.root)
            let covered = open.fields.filter { field in
                field.tier == .l1
                    && grants.contains {
                        $0.covers(
                            entry: stored.row.id, tags: open.details?.tags ?? [], field: field.id, label: field.label)
                    }
            }
            guard !covered.isEmpty else { continue }
            parts += (covered.map(\.id) + [.title]).compactMap { stored.parts[$0] }
        }
        return parts
    }

    private func candidates(_ grants: [Grant], as caller: Caller) async throws -> [StoredEntry] {
        var found: [EntryID: StoredEntry] = [:]
        for grant in grants {
            switch grant.scope {
            case .entry(let id):
                if let stored = try await store.entry(id, in: caller.vault, for: caller.holder.id),
                    stored.row.state == .active
                {
                    found[id] = stored
                }
            case .tag(let tag):
                let term = try await entries.index(as: caller).term(tag: tag)
                var order: Int64 = 0
                while true {
                    let page = try await store.entries(
                        in: caller.vault, for: caller.holder.id, terms: [term], after: order, limit: 500)
                    for stored in page { found[stored.row.id] = stored }
                    guard page.count == 500, let last = page.last else { break }
                    order = last.row.order
                }
            }
        }
        return found.values.sorted { $0.row.id < $1.row.id }
    }

    /// Refuses grants that name an entry or field that is not there, or an L2 field, whose key the node has not.
    private func checkEntries(_ grants: [Grant], as caller: Caller) async throws {
        for grant in grants {
            guard case .entry(let id) = grant.scope else { continue }
            let open = try await entries.openEntry(id, as: caller)
            guard open.stored.row.state == .active else { throw VaultError.noSuchEntry }
            for text in grant.only ?? [] {
                guard let field = open.fields.first(where: { $0.id.text == text }) else { throw VaultError.noSuchField }
                guard field.tier == .l1 else {
                    throw VaultError.invalid("grants.fields", "an L2 field cannot be granted: the node has no key")
                }
            }
        }
    }

    private func wraps(_ parts: [StoredPart], for holder: HolderKey, _ caller: Caller) throws -> [Step] {
        try parts.map { part in
            .putWrap(holder.wrap(try part.dataKey(by: caller.holder, root: keys.root), at: part.value.place))
        }
    }

    /// For the audit line: the fields that this agent can open from now on, as `entry/field`.
    private func holds(_ parts: [StoredPart]) -> [String] {
        parts.map { "\($0.value.place.entry.text)/\($0.value.place.field.text)" }.sorted()
    }
}

extension AgentRoster.Draft {
    init(old: AgentView) {
        self.init(name: old.name, grants: old.grants, policy: old.policy)
    }
}

extension EntryID {
    /// Where an agent's record stands among the values.
    package static func record(of holder: HolderID) -> EntryID {
        guard let id = EntryID(holder.bytes) else { preconditionFailure("ids are 16 bytes") }
        return id
    }
}

extension NodeKeys {
    /// What a live node lets the agent do.
    package func policy(of agent: StoredAgent) throws -> AgentPolicy {
        try AgentPolicy(
            jsonBytes: try openNodeTier(agent.policy, .policy, vault: agent.vault, id: agent.holder.bytes))
    }
}
