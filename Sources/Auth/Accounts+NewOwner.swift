import Crypto
package import IPNetworks
package import Vault
package import VaultFormat

/// Operations that replace the owner's key holder, so that no earlier credential opens what is written afterwards.
extension Accounts {
    /// The result: the new session, and what was ended, paused or kept.
    package struct OwnerChange: Sendable {
        package let session: NewSession
        package let kit: KitState
        /// Kit and passkeys.
        package let kept: [CredentialID]
        package let ended: [CredentialID]
        package let endedSessions: Int
        package let activeAgents: [PrincipalID]
        /// Agents that were paused by this operation or before.
        package let pausedAgents: [PrincipalID]
        /// Whether the former key holder's wraps are not erased from the file yet. Maintenance finishes it.
        package let isOwed: Bool

        /// What became of the recovery kit.
        package enum KitState: String, Sendable, CaseIterable {
            case replaced, kept, none
        }
    }

    /// What a request for a new key holder says about credentials and agents.
    package struct OwnerChangeOptions: Sendable {
        /// A new kit. The present one ends then.
        package let recovery: Kit?
        /// Kit and passkeys that stay. All others end.
        package let keep: Set<CredentialID>
        /// Agents that stay active; nil for all. The others are paused.
        package let agents: [PrincipalID]?

        package init(recovery: Kit?, keep: Set<CredentialID>, agents: [PrincipalID]?) {
            self.recovery = recovery
            self.keep = keep
            self.agents = agents
        }
    }

    /// Sets a new password. Every session ends.
    package func changePassword(
        _ secrets: Secrets, _ options: OwnerChangeOptions, proof: Proof, as principal: Principal
    ) async throws -> OwnerChange {
        let permit = try principal.authorize(.changePassword, at: now())
        try check(secrets)
        if let kit = options.recovery { try check(kit.secrets) }
        return try await unit.change(permit) { transaction in
            let proven = try await check(proof, as: principal, in: &transaction)
            try checkGeneration(of: [secrets, options.recovery?.secrets], in: principal.vault)
            // After the proof: a stolen session alone must not use up the owner's operations.
            try operations.spend(principal.vault, share: .proven)
            let change = OwnerSwitch(
                action: .passwordChange, old: principal.holder, vault: principal.vault, secrets: secrets,
                options: options, factor: proven.factor, hasPassedCode: proven.hasPassedCode, from: principal.from)
            return try await replaceOwner(change, in: &transaction)
        }
    }

    /// Ends all sessions, including this one. The password, which is the proof, stays.
    package func signOutEverywhere(_ options: OwnerChangeOptions, proof: Proof, as principal: Principal) async throws
        -> OwnerChange
    {
        let permit = try principal.authorize(.signOutEverywhere, at: now())
        guard proof.kind == .password else {
            throw AuthError.invalid("proof.kind", "must be password, because the new key holder keeps it")
        }
        if let kit = options.recovery { try check(kit.secrets) }
        return try await unit.change(permit) { transaction in
            let proven = try await check(proof, as: principal, in: &transaction)
            try checkGeneration(of: [options.recovery?.secrets], in: principal.vault)
            try operations.spend(principal.vault, share: .proven)
            let secrets = Secrets(
                authKey: proof.secret, wrappedL2Key: try proven.credential.openL2Key(root: keys.root) ?? [],
                l2Generation: try l2Generation(of: principal.vault))
            let change = OwnerSwitch(
                action: .signOutEverywhere, old: principal.holder, vault: principal.vault, secrets: secrets,
                options: options, factor: proven.factor, hasPassedCode: proven.hasPassedCode, from: principal.from)
            return try await replaceOwner(change, in: &transaction)
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
    /// password. No credential changes, and the code is not used up.
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
            transaction.write(try use(of: stored, request.proof.secret, opening: owner))
            try transaction.log(AuditEvent(.recoveryBegin, by: .init(.owner, vault.owner), from: address?.text))
            guard let state = try store.l2State(of: vault) else { throw AuthError.badCredentials }
            return BegunRecovery(
                vault: vault, wrappedL2Key: try stored.openL2Key(root: keys.root) ?? [], l2Generation: state.generation)
        }
    }

    /// Second step: sets a new password and a new key holder, and opens a session. The kit that was used ends, and so do all
    /// passkeys.
    package func recover(
        _ request: Recovery, _ secrets: Secrets, _ options: OwnerChangeOptions, from address: IPAddress?
    ) async throws -> OwnerChange {
        try check(secrets)
        if let kit = options.recovery { try check(kit.secrets) }
        guard options.keep.isEmpty else { throw AuthError.invalid("keep", "must be empty in a recovery") }
        let identified = try await identify(
            request.email, .recovery, request.proof.secret, request.device, from: address)
        let (vault, owner) = (identified.account.vault, identified.owner)
        return try await unit.change(byProvenOwnerOf: vault, isLong: true) { transaction in
            _ = try present(.recovery, of: identified)
            try checkGeneration(of: [secrets, options.recovery?.secrets], in: vault)
            let factor = try await acceptCode(
                request.proof.code, owner, in: vault, identified.attempt, from: address)
            try spendSignIn(vault)
            limits.succeeded(identified.attempt)
            let change = OwnerSwitch(
                action: .accountRecover, old: owner, vault: vault, secrets: secrets, options: options, factor: factor,
                hasPassedCode: factor != nil, from: address)
            return try await replaceOwner(change, in: &transaction)
        }
    }
}
