import Crypto
import Encoding
package import VaultFormat

/// Agents' records and policies, and the keys that their grants cover.
extension Agents {
    // MARK: Records

    /// Maximum bytes of name and grants as JSON: every change of an entry decrypts the record of every agent.
    private static let largestRecord = 65_536

    func stored(_ id: PrincipalID, as principal: Principal) async throws -> StoredAgent {
        try principal.authorize(.viewAgents, at: now)
        guard let agent = try await store.agent(id, of: principal.vault, for: principal.holder.id) else {
            throw VaultError.noSuchAgent
        }
        return agent
    }

    func view(_ agent: StoredAgent, by principal: Principal) throws -> AgentView {
        guard let record = agent.record else { throw VaultError.damaged("an agent without a record") }
        let text = try AgentText(plaintext: try record.open(by: principal.holder, root: keys.root))
        let policy = try keys.policy(of: agent)
        return view(agent, Draft(name: text.name, grants: text.grants, policy: policy))
    }

    func view(_ agent: StoredAgent, _ draft: Draft) -> AgentView {
        AgentView(
            id: agent.id, name: draft.name, grants: draft.grants, policy: draft.policy, state: agent.state,
            uses: agent.uses, created: agent.created)
    }

    func record(_ draft: Draft, of id: PrincipalID, version: Int, _ principal: Principal) throws -> [Mutation] {
        let place = Self.recordPlace(of: id, version: version, principal)
        let key = SymmetricKey(size: .bits256)
        let text = AgentText(name: draft.name, grants: draft.grants)
        guard try text.content().count <= Self.largestRecord else {
            throw VaultError.invalid("grants", "must be at most \(Self.largestRecord) bytes together")
        }
        let box = Box.seal(try text.plaintext(), key: key, context: place.valueContext)
        return [
            .putValue(StoredValue(place: place, box: box, written: entries.now(), author: principal.id)),
            .putWrap(principal.holder.wrap(key, at: place)),
            // Old records are never read, and must not bring revoked grants back.
            .deleteValues([Self.recordPlace(of: id, version: version - 1, principal)]),
        ]
    }

    func sealed(_ policy: AgentPolicy, _ id: PrincipalID, _ principal: Principal) throws -> [UInt8] {
        keys.sealNodeTier(try policy.jsonBytes(), .policy, vault: principal.vault, id: id.bytes)
    }

    func insertion(of holder: HolderKey, for agent: PrincipalID, _ principal: Principal) throws -> Mutation {
        let publicKey = try holder.storedPublicKey(vault: principal.vault, of: agent, keys: keys)
        return .insertHolder(HolderRow(id: holder.id, vault: principal.vault, principal: agent, publicKey: publicKey))
    }

    // MARK: Grants

    /// Lists every part that the draft's grants cover now: of each L1 field its `about` part, and its value if the verbs allow to open
    /// it; and the title of each entry with such a field.
    ///
    /// Decrypts one entry at a time.
    ///
    /// - Throws: `VaultError.invalid` beyond `most` fields.
    func grantable(_ draft: Draft, upTo most: Int, as principal: Principal) async throws -> [StoredField] {
        let index = GrantIndex(draft.grants)
        var count = 0
        var found: [EntryID: [StoredField]] = [:]
        func add(_ stored: StoredEntry) throws {
            guard stored.row.state == .active else { return }
            let open = try OpenEntry(stored, by: principal, in: entries)
            let scope = index.scope(of: stored.row.id, tags: open.details?.tags ?? [])
            let covered = open.fields.filter { $0.tier == .l1 && scope.covers(field: $0.id, label: $0.label) }
            count += covered.count
            guard count <= most else {
                throw VaultError.invalid(
                    "grants", "must cover at most \(most) fields; create several agents, or grant fewer")
            }
            guard !covered.isEmpty else { return }
            let values = draft.policy.opensValues ? covered.compactMap { stored.fields[$0.id] } : []
            let abouts = covered.compactMap { stored.abouts[$0.id] }
            found[stored.row.id] = values + abouts + [stored.title?.field].compactMap(\.self)
        }
        for id in try await entryIDs(of: draft.grants, as: principal) {
            try Task.checkCancellation()
            if let stored = try await store.entry(id, in: principal.vault, for: Reader(principal)) { try add(stored) }
            try await WorkQueue.yieldIfNeeded()
        }
        return found.sorted { $0.key < $1.key }.flatMap(\.value)
    }

    /// The ids of the entries that the grants cover, without duplicates.
    private func entryIDs(of grants: [Grant], as principal: Principal) async throws -> Set<EntryID> {
        var ids: Set<EntryID> = []
        var tags: Set<String> = []
        for grant in grants {
            switch grant.scope {
            case .entry(let id): ids.insert(id)
            case .tag(let tag): tags.insert(tag.caseless)
            }
        }
        guard !tags.isEmpty else { return ids }
        let index = try await entries.index(as: principal)
        for tag in tags {
            ids.formUnion(try await store.entryIDs(in: principal.vault, term: index.term(tag: tag)))
            try await WorkQueue.yieldIfNeeded()
        }
        return ids
    }

    /// Rejects grants for a missing entry or field, or for an L2 field, whose key the node does not have.
    ///
    /// `known`: The agent's current grants. They may name deleted entries and fields, so that a narrowing change still works.
    func checkEntries(_ grants: [Grant], knowing known: [Grant] = [], as principal: Principal) async throws {
        for grant in grants where !known.contains(grant) {
            guard case .entry(let id) = grant.scope else { continue }
            let before = known.filter { $0.scope == grant.scope }
            let fields = Set(before.flatMap { $0.only ?? [] })
            let open: OpenEntry
            do {
                open = try await entries.openEntry(id, as: principal)
                guard open.stored.row.state == .active else { throw VaultError.noSuchEntry }
            } catch VaultError.noSuchEntry where !before.isEmpty {
                continue
            }
            for text in grant.only ?? [] where !fields.contains(text) {
                guard let field = open.fields.first(where: { $0.id.text == text }) else { throw VaultError.noSuchField }
                guard field.tier == .l1 else {
                    throw VaultError.invalid(
                        "grants.fields", "must not name an L2 field, because the node does not have its key")
                }
            }
        }
    }

    func wraps(_ fields: [StoredField], for holder: HolderKey, _ principal: Principal) throws -> [Mutation] {
        try fields.map { field in
            .putWrap(holder.wrap(try field.dataKey(by: principal.holder, root: keys.root), at: field.place))
        }
    }

    /// Writes the wraps of a new key holder in several small commits. Until the agent's row names it the key holder is unused, and the
    /// next start deletes it.
    func giveInParts(
        _ places: [FieldPlace], to holder: HolderKey, of agent: PrincipalID, _ principal: Principal
    ) async throws {
        try await store.commit([try insertion(of: holder, for: agent, principal)], [])
        for start in stride(from: 0, to: places.count, by: 500) {
            var mutations: [Mutation] = []
            for place in places[start...].prefix(500) {
                let part = try store.part(place.partID, of: place.entry, in: principal.vault, for: Reader(principal))
                guard let part, part.value.place == place else { throw VaultError.damaged("a field that was there") }
                mutations.append(
                    .putWrap(holder.wrap(try part.dataKey(by: principal.holder, root: keys.root), at: place)))
                try await WorkQueue.yieldIfNeeded()
            }
            try await store.commit(mutations, [])
        }
    }

    /// The audit events of a change after which an agent can open exactly these parts. Thousands of parts need several events.
    func events(
        _ event: AuditEvent, holding places: [FieldPlace], by agent: PrincipalID, _ principal: Principal
    ) -> [AuditEvent] {
        let holds = places.map { "\($0.entry.text)/\($0.partID.text)" }.sorted()
        var first = event
        first.holds = Array(holds.prefix(AuditEvent.mostHolds))
        var events = [first]
        for start in stride(from: AuditEvent.mostHolds, to: holds.count, by: AuditEvent.mostHolds) {
            var more = principal.event(.agentUpdate, subject: agent.text)
            more.holdsToo = Array(holds[start...].prefix(AuditEvent.mostHolds))
            events.append(more)
        }
        return events
    }
}

extension EntryID {
    /// The entry id under which an agent's record is stored as a value.
    package static func record(of agent: PrincipalID) -> EntryID {
        guard let id = EntryID(agent.bytes) else { preconditionFailure("an id must have 16 bytes") }
        return id
    }
}

extension NodeKeys {
    /// Decrypts an agent's policy.
    package func policy(of agent: StoredAgent) throws -> AgentPolicy {
        try AgentPolicy(
            jsonBytes: try openNodeTier(agent.policy, .policy, vault: agent.vault, id: agent.id.bytes))
    }
}
