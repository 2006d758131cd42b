import Crypto
import VaultFormat

/// Sealing of a part's key to new readers.
struct Sharing {
    let place: FieldPlace
    let key: SymmetricKey
    let new: [AgentReader]
    /// All agents that can open the part afterwards, for the audit log.
    let readers: [String]

    func mutations(root: RootKeys) throws -> [Mutation] {
        try new.map { .putWrap(try $0.publicKey.seal(key, at: place, root: root)) }
    }
}

extension Entries {
    /// Adds the result of an owner's edit to the transaction. `shareRest` seals the keys beyond the limit of one commit.
    ///
    /// `mutations`: Performed first.
    ///
    /// - Throws: `VaultError.quotaExceeded` when the quota has no room for all keys, before anything is written.
    func add(
        _ written: Written, after mutations: [Mutation], _ event: AuditEvent,
        as principal: Principal, to transaction: inout Transaction
    ) async throws -> Changed {
        if !written.narrows { try await requireRoom(for: written, as: principal) }
        transaction.write(conditions(of: principal, narrows: written.narrows) + mutations + written.mutations)
        try transaction.log(charging: [event])
        return Changed(view: written.view, isShared: written.later.isEmpty)
    }

    /// The quota conditions of a change's commit.
    func conditions(of principal: Principal, narrows: Bool) -> [Mutation] {
        narrows
            ? [.narrows, .stayWithin(quotas.forNarrowing, principal.vault)] : [.stayWithin(quotas, principal.vault)]
    }

    struct Changed: Sendable {
        let view: EntryView
        /// Whether the keys were sealed to all agents with matching grants.
        var isShared = true
    }

    /// Runs an owner's change, and then seals the keys beyond the limit of one commit.
    func changeAndShare(
        _ permit: Permit, _ body: @escaping @Sendable (inout Transaction) async throws -> Changed
    ) async throws -> EntryView {
        let changed = try await unit.change(permit, body)
        if !changed.isShared { await shareRest(of: changed.view.id, permit) }
        return changed.view
    }

    /// Seals the keys for which a change had no room, in parts. Each part is a change by itself, so that urgent changes can run
    /// between two of them, and the current state of the entry applies.
    ///
    /// The change is committed, so errors are not thrown. Keys that a crash or a full disk leaves out are sealed with the next edit
    /// of the entry, or when an agent is resumed.
    private func shareRest(of entry: EntryID, _ permit: Permit) async {
        var attempts = 50
        while attempts > 0 {
            do {
                if try await sharePart(of: entry, permit) { return }
            } catch VaultError.busy {
                // The change is committed, so its rest is retried instead of refused.
                attempts -= 1
                try? await Task.sleep(for: .milliseconds(200))
            } catch {
                return
            }
        }
    }

    /// Seals the next part.
    ///
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
