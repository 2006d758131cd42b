import Crypto

/// The agents of a vault, as their owner manages them.
package struct AgentRoster: Sendable {
    private let entries: Entries
    /// Bytes of a name and its grants as JSON: every change of an entry opens them of every agent.
    private static let largestRecord = 65_536

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

        private static let mostGrants = 64
        /// Fields and labels that all grants name together: every change of an entry compares them.
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
                throw .invalid("cidr", "must hold at most \(Self.mostNetworks) networks")
            }
            guard !policy.verbs.isEmpty else { throw .invalid("verbs", "at least one of read, write, deposit, totp") }
            if grants.isEmpty, policy.verbs != [.deposit] {
                throw .invalid("grants", "an agent without grants can only deposit")
            }
            if let from = policy.notBefore, let to = policy.expiresAt, from >= to {
                throw .invalid("expiresAt", "must be after notBefore")
            }
            if let uses = policy.maxUses, uses < 1 { throw .invalid("maxUses", "at least 1") }
            if let rate = policy.ratePerMinute, rate < 1 { throw .invalid("ratePerMinute", "at least 1") }
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

    /// Agents after one of them, in the order of their ids.
    package func list(
        after id: HolderID? = nil, limit: Int = 200, as caller: Caller
    ) async throws -> Page<AgentView> {
        try caller.requireOwner()
        return try await entries.work.run(as: caller) {
            let page = try await store.agents(
                of: caller.vault, for: caller.holder.id, after: id, limit: PageLimit(rows: limit))
            return Page(items: try page.items.map { try view($0, by: caller) }, hasMore: page.hasMore)
        }
    }

    package func view(_ id: HolderID, as caller: Caller) async throws -> AgentView {
        try view(try await stored(id, as: caller), by: caller)
    }

    /// Adds an agent and gives it what its grants cover now.
    ///
    /// `credential`: Makes the row that will open the holder, given the holder.
    package func create(
        _ draft: Draft, as caller: Caller, credential: @escaping @Sendable (Created) throws -> [Step]
    ) async throws -> Created {
        try caller.requireFreshOwner(at: entries.now())
        try draft.validate()
        try entries.operations.spend(caller.vault)
        return try await entries.change(as: caller) {
            try await checkEntries(draft.grants, as: caller)
            let holder = HolderKey.generate()
            let agent = StoredAgent(
                holder: holder.id, vault: caller.vault, state: .active,
                policy: try sealed(draft.policy, holder.id, caller),
                recordVersion: 1, uses: 0, created: entries.now())
            let created = Created(holder: holder, agent: view(agent, draft))
            var steps: [Step] = [.stayWithin(entries.quotas, caller.vault)]
            steps += try insertion(of: agent, holder, caller)
            steps += try record(draft, of: holder.id, version: 1, caller)
            steps += try credential(created)
            let granted = try await grantable(draft.grants, as: caller)
            steps += try wraps(granted, for: holder, caller)
            let event = caller.event(.agentCreate, subject: holder.id.text)
            try await store.commit(steps, try lines(event, holding: granted, by: holder.id, caller))
            return created
        }
    }

    /// Changes name, grants, policy or whether it works at all. Keys follow the grants at once, both ways.
    package func update(
        _ id: HolderID, name: String?, grants: [Grant]?, policy: AgentPolicy?, isPaused: Bool?, as caller: Caller
    ) async throws -> AgentView {
        // Pausing is what one does in a hurry; anything else could widen.
        if name == nil, grants == nil, policy == nil, isPaused == true { return try await pause(id, as: caller) }
        try caller.requireFreshOwner(at: entries.now())
        try entries.operations.spend(caller.vault)
        return try await entries.change(as: caller) {
            var agent = try await stored(id, as: caller)
            let old = try view(agent, by: caller)
            let draft = Draft(name: name ?? old.name, grants: grants ?? old.grants, policy: policy ?? old.policy)
            try draft.validate()
            try await checkEntries(grants ?? [], as: caller)
            let event = caller.event(.agentUpdate, subject: id.text)
            var lines = [try entries.audit.seal(event, vault: caller.vault)]
            var steps: [Step] = [.stayWithin(entries.quotas, caller.vault)]
            if let isPaused { agent.state = isPaused ? .paused : .active }
            if let policy { agent.policy = try sealed(policy, id, caller) }
            if name != nil || grants != nil {
                agent.recordVersion += 1
                steps += try record(draft, of: id, version: agent.recordVersion, caller)
            }
            if grants != nil {
                let publicKey = try HolderPublicKey(
                    id: id, vault: caller.vault, stored: agent.publicKey, keys: keys)
                let wanted = try await grantable(draft.grants, as: caller)
                let present = try await store.places(of: id)
                let places = Set(wanted.map(\.place))
                for place in present.subtracting(places) { steps.append(.dropWrap(place.entry, place.field, id)) }
                let new = wanted.filter { !present.contains($0.place) }
                guard new.count <= EntryLimits.sealedKeys else {
                    throw VaultError.invalid(
                        "grants",
                        "add more than \(EntryLimits.sealedKeys) fields at once; make a new agent, or add fewer at a time"
                    )
                }
                for field in new {
                    let key = try field.dataKey(by: caller.holder, root: keys.root)
                    steps.append(.putWrap(try publicKey.seal(key, at: field.place, root: keys.root)))
                }
                if places != present { lines = try self.lines(event, holding: wanted, by: id, caller) }
            }
            steps.append(.updateAgent(agent))
            try await store.commit(steps, lines)
            return view(agent, draft)
        }
    }

    /// Pauses an agent. Nothing is read or opened before it: a record that is damaged must not keep a token alive.
    private func pause(_ id: HolderID, as caller: Caller) async throws -> AgentView {
        try caller.requireOwner()
        try await entries.locks.withLock(for: caller, in: store, isUrgent: true) {
            // Nothing to do again, and no line for it.
            if (try? await store.agentRows(of: caller.vault))?.contains(where: {
                $0.holder == id && $0.state == .paused
            })
                == true
            {
                return
            }
            let event = caller.event(.agentUpdate, subject: id.text, reason: "paused")
            try await store.commit(
                [.setAgentState(id, vault: caller.vault, .paused)],
                [try entries.audit.seal(event, vault: caller.vault)])
        }
        return try await view(id, as: caller)
    }

    /// Gives the agent a new holder and a new token; the old ones open nothing from now on.
    package func rotate(
        _ id: HolderID, as caller: Caller, credential: @escaping @Sendable (Created) throws -> [Step]
    ) async throws -> (created: Created, ended: Ended) {
        try caller.requireFreshOwner(at: entries.now())
        try entries.operations.spend(caller.vault)
        return try await entries.change(as: caller) {
            let old = try await stored(id, as: caller)
            let ended = Ended(id: id, places: try? await store.places(of: id))
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
            steps.append(.deleteAgent(id, vault: caller.vault))
            var event = caller.event(.agentRotate, subject: id.text)
            event.successor = holder.id.text
            try await store.commit(steps, try lines(event, holding: granted, by: holder.id, caller))
            await store.forgetDeleted()
            return (created, ended)
        }
    }

    /// An agent, or a holder of one, that is no more.
    package struct Ended: Sendable {
        package let id: HolderID
        /// What it could open at its end; nil when its rows could not be read.
        package let places: Set<FieldPlace>?
    }

    /// Ends an agent: holder, credential and wraps are deleted. Nothing that can fail stands before the commit.
    @discardableResult
    package func revoke(_ id: HolderID, as caller: Caller) async throws -> Ended {
        try caller.requireOwner()
        return try await entries.locks.withLock(for: caller, in: store, isUrgent: true) {
            // Under the lock no wrap comes or goes.
            let ended = Ended(id: id, places: try? await store.places(of: id))
            let event = caller.event(.agentRevoke, subject: id.text)
            try await store.commit(
                [.deleteAgent(id, vault: caller.vault)], [try entries.audit.seal(event, vault: caller.vault)])
            await store.forgetDeleted()
            return ended
        }
    }

    // MARK: Records

    private func stored(_ id: HolderID, as caller: Caller) async throws -> StoredAgent {
        try caller.requireOwner()
        guard let agent = try await store.agent(id, of: caller.vault, for: caller.holder.id) else {
            throw VaultError.noSuchAgent
        }
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
        guard text.count <= Self.largestRecord else {
            throw VaultError.invalid("grants", "must be at most \(Self.largestRecord) bytes together")
        }
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
    ///
    /// One entry is open at a time: what is kept of each is only where its fields stand and their wraps.
    private func grantable(_ grants: [Grant], as caller: Caller) async throws -> [StoredField] {
        let index = GrantIndex(grants)
        // An entry is opened once, however many of the grants lead to it.
        var found: [EntryID: [StoredField]] = [:]
        func add(_ stored: StoredEntry) throws {
            guard stored.row.state == .active, found[stored.row.id] == nil else { return }
            let open = try OpenEntry(stored, by: caller, in: entries)
            let scope = index.scope(of: stored.row.id, tags: open.details?.tags ?? [])
            let covered = open.fields.filter { $0.tier == .l1 && scope.covers(field: $0.id, label: $0.label) }
            found[stored.row.id] =
                covered.isEmpty
                ? [] : covered.compactMap { stored.fields[$0.id] } + [stored.title?.field].compactMap(\.self)
        }
        for grant in grants {
            switch grant.scope {
            case .entry(let id):
                if let stored = try await store.entry(id, in: caller.vault, for: Reader(caller)) { try add(stored) }
            case .tag(let tag):
                let term = try await entries.index(as: caller).term(tag: tag)
                var order: Int64 = 0
                while true {
                    let page = try await store.entries(
                        in: caller.vault, for: Reader(caller), terms: [term], after: order,
                        limit: PageLimit(rows: 500))
                    for stored in page.items { try add(stored) }
                    guard page.hasMore, let last = page.items.last else { break }
                    order = last.row.order
                    await Task.yield()
                }
            }
        }
        return found.sorted { $0.key < $1.key }.flatMap(\.value)
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

    private func wraps(_ fields: [StoredField], for holder: HolderKey, _ caller: Caller) throws -> [Step] {
        try fields.map { field in
            .putWrap(holder.wrap(try field.dataKey(by: caller.holder, root: keys.root), at: field.place))
        }
    }

    /// The audit lines of a change after which an agent can open just these fields: one, or for thousands of fields
    /// several.
    private func lines(
        _ event: AuditEvent, holding fields: [StoredField], by agent: HolderID, _ caller: Caller
    ) throws -> [SealedAuditLine] {
        let holds = fields.map { "\($0.place.entry.text)/\($0.place.field.text)" }.sorted()
        var first = event
        first.holds = Array(holds.prefix(AuditEvent.mostHolds))
        var events = [first]
        for start in stride(from: AuditEvent.mostHolds, to: holds.count, by: AuditEvent.mostHolds) {
            var more = caller.event(.agentUpdate, subject: agent.text)
            more.holdsToo = Array(holds[start...].prefix(AuditEvent.mostHolds))
            events.append(more)
        }
        // Thousands of fields take as much of the log as many operations, and cost as many.
        try entries.operations.spend(caller.vault, count: holds.count / AuditEvent.holdsPerOperation)
        return try events.map { try entries.audit.seal($0, vault: caller.vault) }
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
