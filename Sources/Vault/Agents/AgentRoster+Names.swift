import Crypto
package import VaultFormat

/// The name that an agent leaves behind, so that what it wrote stays its own: a record without grants, at its place.
package struct AgentName: Sendable {
    package let value: StoredValue
    package let wrap: Wrap
}

extension AgentRoster {
    /// The names of agents, also of those that are no more. Whoever has none was no agent.
    package func names(of ids: Set<HolderID>, as principal: Principal) async throws -> [HolderID: String] {
        try principal.authorize(.viewAgents, at: now)
        if ids.isEmpty { return [:] }
        return try await entries.work.run(as: principal, in: store) { try await readNames(of: ids, as: principal) }
    }

    /// Records are opened a few at a time: each may have 64 KB.
    func readNames(of ids: Set<HolderID>, as principal: Principal) async throws -> [HolderID: String] {
        var names: [HolderID: String] = [:]
        var rest = ids
        while !rest.isEmpty {
            let some = Set(rest.prefix(4))
            rest.subtract(some)
            for (id, record) in try await store.agentRecords(some, for: principal.holder.id)
            where record.value.place.vault == principal.vault {
                // One record that does not open must not hide the others.
                let text = try? AgentText(jsonBytes: try record.open(by: principal.holder, root: keys.root))
                names[id] = text?.name ?? id.text
            }
            try await WorkQueue.breathe()
        }
        return names
    }

    /// What a rotation leaves beside the successor's record; nothing in a full vault, where it has to work all the same.
    func roomForName(_ name: AgentName) async throws -> AgentName? {
        let bytes = [Mutation.putValue(name.value), .putWrap(name.wrap)].reduce(0) { $0 + $1.bytesAtRest }
        let vault = name.value.place.vault
        return try await store.usage(of: vault)[.bytes] + bytes <= entries.quotas[.bytes] ? name : nil
    }

    /// After a revocation it takes no more room than the record that it replaces.
    func name(_ name: String, of id: HolderID, _ principal: Principal) throws -> AgentName {
        let place = Self.recordPlace(of: id, version: 1, principal)
        let key = SymmetricKey(size: .bits256)
        let box = Box.seal(try AgentText(name: name, grants: []).jsonBytes(), key: key, context: place.valueContext)
        return AgentName(
            value: StoredValue(place: place, box: box, written: entries.now(), author: principal.holder.id),
            wrap: principal.holder.wrap(key, at: place))
    }

    /// An agent's record is a value at the agent's own place, so that a change of owner re-wraps it too.
    static func recordPlace(of id: HolderID, version: Int, _ principal: Principal) -> FieldPlace {
        FieldPlace(vault: principal.vault, entry: .record(of: id), field: .title, tier: .metadata, version: version)
    }
}
