import Crypto
import IPNetworks
import Vault
import VaultFormat

/// What a new key holder of the owner is made from.
struct OwnerSwitch: Sendable {
    let action: AuditEvent.Action
    let old: HolderKey
    let vault: VaultID
    /// Those of the password.
    let secrets: Accounts.Secrets
    let options: Accounts.OwnerChangeOptions
    /// The second factor after its last code; nil when no code was sent.
    let factor: SecondFactor?
    /// Whether the request proved more than a password or kit.
    let hasPassedCode: Bool
    let from: IPAddress?
}

/// The switch from one key holder of the owner to the next.
extension Accounts {
    /// Creates a new key holder for the owner: re-wraps every data key in batches that no record names, then switches in one commit.
    /// Under the vault's lock.
    func replaceOwner(_ change: OwnerSwitch, in transaction: inout Transaction) async throws -> OwnerChange {
        let (options, old, vault) = (change.options, change.old, change.vault)
        let (kept, ended) = try divide(try await store.kitAndPasskeys(of: vault), options)
        let agents = try await store.agentRows(of: vault)
        if let kept = options.agents, !Set(kept).isSubset(of: agents.map(\.id)) {
            throw AuthError.invalid("keepAgents", "must name agents of this vault")
        }
        let paused = agents.filter { agent in
            agent.state == .active && options.agents.map { !$0.contains(agent.id) } == true
        }
        let endedSessions = try await store.sessions(of: vault).count
        let owner = HolderKey.generate()
        do {
            try await rewrap(from: old, to: owner, in: vault)
            let password = password(change.secrets, owner, vault)
            transaction.write(.insertCredential(password))
            // Inserted before the present ones end, so that it cannot have the id of one.
            if let kit = options.recovery { transaction.write(.insertCredential(try self.kit(kit, owner, vault))) }
            for credential in kept {
                transaction.write(.keepCredential(try credential.sealed(for: owner, root: keys.root)))
            }
            transaction.write(paused.map { .setAgentState($0.id, vault: vault, .paused) })
            let gone = ended.map { OwnerItem.passkey($0.id) }
            transaction.write(try items(of: change, for: owner, except: Set(gone)))
            transaction.write(gone.map { .dropItem($0, old.id, vault: vault) })
            let session = try await session(
                for: owner, in: vault, l2Key: password, device: nil, withCode: change.hasPassedCode)
            transaction.write(.switchOwner(vault, from: old.id, to: owner.id))
            transaction.write(session.mutations)
            try log(change, owner, kept: kept, ended: ended, paused: paused, in: &transaction)
            transaction.end(old.id)
            let isErased = try await transaction.commit()
            let pausedNow = Set(paused.map(\.id))
            return OwnerChange(
                session: session.new,
                kit: options.recovery != nil ? .replaced : kept.contains { $0.kind == .recovery } ? .kept : .none,
                kept: kept.map(\.id), ended: ended.map(\.id), endedSessions: endedSessions,
                activeAgents: agents.filter { $0.state == .active && !pausedNow.contains($0.id) }.map(\.id),
                pausedAgents: agents.filter { $0.state != .active || pausedNow.contains($0.id) }.map(\.id),
                isOwed: !isErased)
        } catch {
            // Delete the incomplete key holder. If this fails too, the next start does it.
            await store.clear(owner.id)
            throw error
        }
    }

    /// Divides kit and passkeys into those that the request keeps and those that end.
    private func divide(
        _ present: [StoredCredential], _ options: OwnerChangeOptions
    ) throws(AuthError) -> (kept: [StoredCredential], ended: [StoredCredential]) {
        let kept = present.filter { options.keep.contains($0.id) }
        guard kept.count == options.keep.count else {
            throw .invalid("keep", "must name the kit or passkeys of this account")
        }
        if options.recovery != nil, kept.contains(where: { $0.kind == .recovery }) {
            throw .invalid("recovery", "must be absent when `keep` names the present kit")
        }
        return (kept, present.filter { !options.keep.contains($0.id) })
    }

    private func log(
        _ change: OwnerSwitch, _ owner: HolderKey, kept: [StoredCredential], ended: [StoredCredential],
        paused: [StoredAgent], in transaction: inout Transaction
    ) throws {
        var event = AuditEvent(
            change.action, by: .init(.owner, change.vault.owner), from: change.from?.text,
            subject: change.vault.text)
        event.holder = owner.id.text
        event.paused = paused.isEmpty ? nil : paused.map(\.id.text)
        event.kept = kept.map(\.id.text)
        event.ended = ended.map(\.id.text)
        try transaction.log(event)
        guard let kit = change.options.recovery else { return }
        try transaction.log(
            AuditEvent(
                .recoveryChange, by: .init(.owner, change.vault.owner), from: change.from?.text, subject: kit.id.text,
                reason: "set"))
    }

    private func rewrap(from old: HolderKey, to owner: HolderKey, in vault: VaultID) async throws {
        let row = HolderRow(
            id: owner.id, vault: vault, principal: vault.owner,
            publicKey: try owner.storedPublicKey(vault: vault, of: vault.owner, keys: keys))
        try await store.commit([.insertHolder(row)], [])
        var last: FieldPlace?
        while true {
            let wraps = try await store.wraps(of: old.id, after: last, limit: 500)
            guard let end = wraps.last?.place else { return }
            let renewed = try wraps.map { wrap in
                Mutation.renewWrap(owner.wrap(try old.unwrap(wrap, root: keys.root), at: wrap.place))
            }
            try await store.commit(renewed, [])
            last = end
            try await WorkQueue.yieldIfNeeded()
        }
    }

    /// Re-encrypts every item that the account lists under the new key holder's key, but those that end.
    ///
    /// - Throws: `VaultError.vaultDamaged` when one is missing.
    private func items(
        of change: OwnerSwitch, for owner: HolderKey, except gone: Set<OwnerItem>
    ) throws -> [Mutation] {
        let (old, vault) = (change.old, change.vault)
        return try store.items(of: old.id, in: vault).filter { !gone.contains($0.key) }.map { item, box in
            let renewed: [UInt8]
            if item == .totp, let factor = change.factor {
                renewed = try factor.sealed(.totp, vault: vault, owner: owner)
            } else {
                let context = (
                    old: item.context(vault: vault, holder: old.id), new: item.context(vault: vault, holder: owner.id)
                )
                renewed = Box.seal(
                    try Box.openKey(box, key: old.wrapKey, context: context.old), key: owner.wrapKey,
                    context: context.new)
            }
            return .putItem(item, owner.id, vault: vault, renewed)
        }
    }
}
