import Crypto
package import IPNetworks
package import Vault
package import VaultFormat

/// Operations that replace the owner's key holder, so that no earlier credential opens what is written afterwards.
extension Accounts {
    /// The result: the new session, and the sessions and agents that were ended, paused or kept.
    package struct OwnerChange: Sendable {
        package let session: NewSession
        package let endedSessions: Int
        package let activeAgents: [PrincipalID]
        /// Agents that were paused by this operation or before.
        package let pausedAgents: [PrincipalID]
    }

    /// What a request for a new key holder says about the recovery kit and the agents.
    package struct OwnerChangeOptions: Sendable {
        package let recovery: Secrets
        /// Agents that stay active; nil for all. The others are paused.
        package let agents: [PrincipalID]?

        package init(recovery: Secrets, agents: [PrincipalID]?) {
            self.recovery = recovery
            self.agents = agents
        }
    }

    /// Sets a new password and a new kit. Every session ends.
    package func changePassword(
        _ secrets: Secrets, _ options: OwnerChangeOptions, proof: Proof, as principal: Principal
    ) async throws -> OwnerChange {
        let permit = try principal.authorize(.changePassword, at: now())
        try check(secrets)
        try check(options.recovery)
        return try await unit.change(permit) { transaction in
            let proven = try await check(proof, as: principal)
            try checkGeneration(of: [secrets, options.recovery], in: principal.vault)
            // After the proof: a stolen session alone must not use up the owner's operations.
            try operations.spend(principal.vault, share: .proven)
            return try await replaceOwner(
                .passwordChange, principal.holder, in: principal.vault, secrets, options, proven.factor,
                from: principal.from, transaction: &transaction)
        }
    }

    /// Ends all sessions, including this one, and replaces the kit. The password, which is the proof, stays.
    package func signOutEverywhere(_ options: OwnerChangeOptions, proof: Proof, as principal: Principal) async throws
        -> OwnerChange
    {
        let permit = try principal.authorize(.signOutEverywhere, at: now())
        guard proof.kind == .password else {
            throw AuthError.invalid("proof.kind", "must be password, because the new key holder keeps it")
        }
        try check(options.recovery)
        return try await unit.change(permit) { transaction in
            let proven = try await check(proof, as: principal)
            try checkGeneration(of: [options.recovery], in: principal.vault)
            try operations.spend(principal.vault, share: .proven)
            let secrets = Secrets(
                authKey: proof.secret, wrappedL2Key: try proven.credential.openL2Key(root: keys.root) ?? [],
                l2Generation: options.recovery.l2Generation)
            return try await replaceOwner(
                .signOutEverywhere, principal.holder, in: principal.vault, secrets, options, proven.factor,
                from: principal.from, transaction: &transaction)
        }
    }

    // MARK: Recovery

    package struct Recovery: Sendable {
        package var email: EmailAddress
        package var proof: Proof
        package var device: [UInt8]?

        package init(email: EmailAddress, proof: Proof, device: [UInt8]?) {
            self.email = email
            self.proof = proof
            self.device = device
        }
    }

    package struct BegunRecovery: Sendable {
        package let vault: VaultID
        package let wrappedL2Key: [UInt8]
        package let l2Generation: Int
    }

    /// First step of a recovery: checks the kit and returns the l2Key encrypted for it, which the client re-encrypts for a new
    /// password. Nothing changes, and the code is not used up.
    package func beginRecovery(
        _ request: Recovery, from address: IPAddress?
    ) async throws -> BegunRecovery {
        let identified = try await identify(
            request.email, .recovery, request.proof.secret, request.device, from: address)
        let (vault, owner) = (identified.account.vault, identified.owner)
        return try await unit.change(byProvenOwnerOf: vault, isLong: false) { transaction in
            let stored = try present(.recovery, of: identified)
            _ = try await acceptCode(request.proof.code, owner, in: vault, identified.attempt, from: address)
            try spendSignIn(vault)
            try transaction.log(AuditEvent(.recoveryBegin, by: .init(.owner, vault.owner), from: address?.text))
            guard let state = try store.l2State(of: vault) else { throw AuthError.badCredentials }
            return BegunRecovery(
                vault: vault, wrappedL2Key: try stored.openL2Key(root: keys.root) ?? [], l2Generation: state.generation)
        }
    }

    /// Second step: sets a new password, a new kit and a new key holder, and opens a session. The kit that was used ends.
    package func recover(
        _ request: Recovery, _ secrets: Secrets, _ options: OwnerChangeOptions, from address: IPAddress?
    ) async throws -> OwnerChange {
        try check(secrets)
        try check(options.recovery)
        let identified = try await identify(
            request.email, .recovery, request.proof.secret, request.device, from: address)
        let (vault, owner) = (identified.account.vault, identified.owner)
        return try await unit.change(byProvenOwnerOf: vault, isLong: true) { transaction in
            _ = try present(.recovery, of: identified)
            try checkGeneration(of: [secrets, options.recovery], in: vault)
            let factor = try await acceptCode(
                request.proof.code, owner, in: vault, identified.attempt, from: address)
            try spendSignIn(vault)
            limits.succeeded(identified.attempt)
            return try await replaceOwner(
                .accountRecover, owner, in: vault, secrets, options, factor, from: address, transaction: &transaction)
        }
    }

    // MARK: The change

    /// Creates a new key holder for the owner: re-wraps every data key in batches, then switches in one commit. Under the vault's
    /// lock.
    private func replaceOwner(
        _ action: AuditEvent.Action, _ old: HolderKey, in vault: VaultID, _ secrets: Secrets,
        _ options: OwnerChangeOptions,
        _ factor: SecondFactor?, from address: IPAddress?, transaction: inout Transaction
    ) async throws -> OwnerChange {
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
            let password = credential(.password, secrets, owner, vault)
            transaction.write(
                .insertCredential(password),
                .insertCredential(credential(.recovery, options.recovery, owner, vault)))
            transaction.write(paused.map { .setAgentState($0.id, vault: vault, .paused) })
            transaction.write(try items(of: old, factor, for: owner, in: vault))
            let session = try await session(
                for: owner, in: vault, l2Key: password, device: nil, withCode: factor != nil)
            transaction.write(.switchOwner(vault, from: old.id, to: owner.id))
            transaction.write(session.mutations)
            var event = AuditEvent(action, by: .init(.owner, vault.owner), from: address?.text, subject: vault.text)
            event.holder = owner.id.text
            event.paused = paused.isEmpty ? nil : paused.map(\.id.text)
            try transaction.log(event)
            try transaction.log(
                AuditEvent(.recoveryChange, by: .init(.owner, vault.owner), from: address?.text, reason: "set"))
            transaction.end(old.id)
            try await transaction.commit()
            let pausedNow = Set(paused.map(\.id))
            return OwnerChange(
                session: session.new, endedSessions: endedSessions,
                activeAgents: agents.filter { $0.state == .active && !pausedNow.contains($0.id) }.map(\.id),
                pausedAgents: agents.filter { $0.state != .active || pausedNow.contains($0.id) }.map(\.id))
        } catch {
            // Delete the incomplete key holder. If this fails too, the next start does it.
            await store.clear(owner.id)
            throw error
        }
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

    /// Re-encrypts the owner's items under the new key holder's key.
    private func items(
        of old: HolderKey, _ factor: SecondFactor?, for owner: HolderKey, in vault: VaultID
    ) throws -> [Mutation] {
        var mutations: [Mutation] = []
        if let factor {
            mutations.append(
                .putItem(.totp, owner.id, vault: vault, try factor.sealed(.totp, vault: vault, owner: owner)))
        }
        guard let box = try store.item(.index, of: old.id, in: vault) else {
            throw VaultError.damaged("an owner without an index key")
        }
        let key = try Box.openKey(
            box, key: old.wrapKey, context: OwnerItem.index.context(vault: vault, holder: old.id))
        let renewed = Box.seal(
            key, key: owner.wrapKey, context: OwnerItem.index.context(vault: vault, holder: owner.id))
        mutations.append(.putItem(.index, owner.id, vault: vault, renewed))
        return mutations
    }
}
