import Crypto
package import VaultFormat

/// The record that keeps a revoked agent's name for the history of what it wrote. It has no grants and replaces the agent's record.
package struct AgentName: Sendable {
    package let value: StoredValue
    package let wrap: Wrap
}

extension Agents {
    /// The names of agents, including revoked ones. Other ids have none.
    package func names(of ids: Set<PrincipalID>, as principal: Principal) async throws -> [PrincipalID: String] {
        try principal.authorize(.viewAgents, at: now)
        if ids.isEmpty { return [:] }
        return try await entries.work.run(as: principal, in: store) { try await readNames(of: ids, as: principal) }
    }

    /// Decrypts records a few at a time, because each may have 64 KB.
    func readNames(of ids: Set<PrincipalID>, as principal: Principal) async throws -> [PrincipalID: String] {
        var names: [PrincipalID: String] = [:]
        var rest = ids
        while !rest.isEmpty {
            let some = Set(rest.prefix(4))
            rest.subtract(some)
            for (id, record) in try await store.agentRecords(some, for: principal.holder.id)
            where record.value.place.vault == principal.vault {
                // A damaged record must not hide the others.
                let text = try? AgentText(plaintext: try record.open(by: principal.holder, root: keys.root))
                names[id] = text?.name ?? id.text
            }
            try await WorkQueue.yieldIfNeeded()
        }
        return names
    }

    /// Creates a name record, which is no larger than the record that it replaces.
    func name(_ name: String, of id: PrincipalID, _ principal: Principal) throws -> AgentName {
        let place = Self.recordPlace(of: id, version: 1, principal)
        let key = SymmetricKey(size: .bits256)
        let box = Box.seal(try AgentText(name: name, grants: []).plaintext(), key: key, context: place.valueContext)
        return AgentName(
            value: StoredValue(place: place, box: box, written: entries.now(), author: principal.id),
            wrap: principal.holder.wrap(key, at: place))
    }

    /// The place of an agent's record. It is stored as a value, so that a change of the owner's key holder re-wraps it too.
    static func recordPlace(of id: PrincipalID, version: Int, _ principal: Principal) -> FieldPlace {
        FieldPlace(vault: principal.vault, entry: .record(of: id), field: .title, tier: .metadata, version: version)
    }
}
