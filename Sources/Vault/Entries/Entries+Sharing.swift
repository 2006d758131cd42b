import Crypto
import VaultFormat

/// A part of an entry whose key is sealed to agents that have come to it.
struct Sharing {
    let place: FieldPlace
    let key: SymmetricKey
    let new: [AgentReader]
    /// All who can open it then, as the log has them.
    let readers: [String]

    func mutations(root: RootKeys) throws -> [Mutation] {
        try new.map { .putWrap(try $0.publicKey.seal(key, at: place, root: root)) }
    }
}

extension Entries {
    /// Adds what an edit by the owner comes to. What it leaves out of keys for agents is for `shareRest`.
    ///
    /// `mutations`: Performed before it.
    ///
    /// - Throws: `VaultError.quotaExceeded` before anything is done when there is no room for all of it.
    func add(
        _ written: Written, after mutations: [Mutation], _ event: AuditEvent,
        as principal: Principal, to transaction: inout Transaction
    ) async throws -> Changed {
        if !written.narrows { try await requireRoom(for: written, as: principal) }
        transaction.write(conditions(of: principal, narrows: written.narrows) + mutations + written.mutations)
        try transaction.log(charging: [event])
        return Changed(view: written.view, isShared: written.later.isEmpty)
    }

    /// What a commit of a change has to keep to.
    func conditions(of principal: Principal, narrows: Bool) -> [Mutation] {
        narrows
            ? [.narrows, .stayWithin(quotas.forTakingAway, principal.vault)] : [.stayWithin(quotas, principal.vault)]
    }

    struct Changed: Sendable {
        let view: EntryView
        /// Whether all agents that may open it can.
        var isShared = true
    }

    /// An owner's change, and then what it had no room for.
    func changeAndShare(
        _ permit: Permit, _ body: @escaping @Sendable (inout Transaction) async throws -> Changed
    ) async throws -> EntryView {
        let changed = try await unit.change(permit, body)
        if !changed.isShared { await shareRest(of: changed.view.id, permit) }
        return changed.view
    }

    /// Gives agents the keys for which a change had no room, in parts. Each is a change by itself, so whoever is in a hurry
    /// goes between two of them, and what has changed meanwhile holds.
    ///
    /// The change is done: nothing is thrown. What a crash or a full disk leaves out comes with the next edit of the entry,
    /// or when an agent is let work again.
    private func shareRest(of entry: EntryID, _ permit: Permit) async {
        var patience = 50
        while patience > 0 {
            do {
                if try await sharePart(of: entry, permit) { return }
            } catch VaultError.busy {
                // The change is done, so its rest is refused to nobody.
                patience -= 1
                try? await Task.sleep(for: .milliseconds(200))
            } catch {
                return
            }
        }
    }

    /// - Returns: Whether nothing is left to share.
    private func sharePart(of entry: EntryID, _ permit: Permit) async throws -> Bool {
        let principal = permit.principal
        return try await unit.change(permit) { transaction in
            let open = try await openEntry(entry, as: principal)
            let row = open.stored.row
            guard row.state == .active else { return true }
            let written = try await apply(EntryEdit(), to: open, row: row, as: principal)
            guard !written.readers.isEmpty else { return true }
            var event = principal.event(.entryUpdate, entry: entry, version: row.version)
            event.readers = written.readers
            let expectation = Mutation.expectEntry(entry, vault: row.vault, version: row.version, state: .active)
            transaction.write([.stayWithin(quotas, principal.vault), expectation] + written.mutations)
            try transaction.log(charging: [event], share: .urgent)
            return written.later.isEmpty
        }
    }

    private func requireRoom(for written: Written, as principal: Principal) async throws {
        guard let each = try written.later.first?.mutations(root: keys.root).first?.bytesAtRest else { return }
        let keys = written.later.reduce(0) { $0 + $1.new.count }
        let bytes = written.mutations.reduce(keys * each) { $0 + $1.bytesAtRest }
        guard try await store.usage(of: principal.vault)[.bytes] + bytes <= quotas[.bytes] else {
            throw VaultError.quotaExceeded(.bytes, quotas[.bytes])
        }
    }
}
