import Crypto

/// A part of an entry whose key is sealed to agents that have come to it.
struct Sharing {
    let place: FieldPlace
    let key: SymmetricKey
    let new: [AgentReader]
    /// All who can open it then, as the log has them.
    let readers: [String]

    func steps(root: RootKeys) throws -> [Step] {
        try new.map { .putWrap(try $0.publicKey.seal(key, at: place, root: root)) }
    }
}

extension Entries {
    /// Commits what an edit by the owner comes to. Keys for agents that would make it too long follow in parts, between which
    /// others commit; each part has its line in the log, and whatever is missing after a crash comes with the next edit.
    ///
    /// `steps`, `lines`: Committed before and with it.
    ///
    /// - Throws: `VaultError.quotaExceeded` before anything is done when there is no room for all of it.
    func commit(
        _ written: Written, after steps: [Step], _ event: AuditEvent, _ lines: [SealedAuditLine] = [], of row: EntryRow,
        as caller: Caller
    ) async throws {
        let parts = Self.parts(of: written.later)
        try await requireRoom(for: written, as: caller)
        let lines = try sealed([event], as: caller) + lines
        let more = try parts.map { part in
            var event = caller.event(.entryUpdate, entry: row.id, version: row.version)
            event.readers = Dictionary(uniqueKeysWithValues: part.map { ($0.place.field.text, $0.readers) })
            return try sealed([event], as: caller)
        }
        try await store.commit([.stayWithin(quotas, caller.vault)] + steps + written.steps, lines)
        for (part, lines) in zip(parts, more) {
            var steps: [Step] = [.expectEntry(row.id, vault: row.vault, version: row.version, state: .active)]
            for sharing in part {
                steps += try sharing.steps(root: keys.root)
                // Done in any case: nobody is better off with half of it.
                try? await WorkQueue.breathe()
            }
            try await store.commit(steps, lines)
        }
    }

    /// Whole fields, and no more keys in a part than a change may seal.
    private static func parts(of sharings: [Sharing]) -> [[Sharing]] {
        var parts: [[Sharing]] = []
        var count = 0
        for sharing in sharings {
            if parts.isEmpty || count + sharing.new.count > EntryLimits.sealedKeys {
                parts.append([])
                count = 0
            }
            parts[parts.count - 1].append(sharing)
            count += sharing.new.count
        }
        return parts
    }

    private func requireRoom(for written: Written, as caller: Caller) async throws {
        guard let each = try written.later.first?.steps(root: keys.root).first?.bytesAtRest else { return }
        let keys = written.later.reduce(0) { $0 + $1.new.count }
        let bytes = written.steps.reduce(keys * each) { $0 + $1.bytesAtRest }
        guard try await store.usage(of: caller.vault)[.bytes] + bytes <= quotas[.bytes] else {
            throw VaultError.quotaExceeded(.bytes, quotas[.bytes])
        }
    }
}
