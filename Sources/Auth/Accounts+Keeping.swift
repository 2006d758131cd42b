package import Crypto
package import Vault

extension Accounts {
    package struct Profile: Sendable {
        package let email: String
        package let vault: VaultID
        package let created: Int64
        package let hasRecoveryKit: Bool
        package let hasSecondFactor: Bool
    }

    package func profile(as caller: Caller) async throws -> Profile {
        try caller.requireOwner()
        guard let account = try store.account(of: caller.vault) else { throw AuthError.badToken }
        let email = try keys.openNodeTier(account.email, .email, vault: caller.vault, id: caller.vault.bytes)
        return Profile(
            email: String(decoding: email, as: UTF8.self), vault: caller.vault, created: account.created,
            hasRecoveryKit: try store.credential(.recovery, of: caller.vault) != nil,
            hasSecondFactor: try await store.item(.totp, of: caller.holder.id) != nil)
    }

    // MARK: A new owner

    /// Sets a new password. Everything signed in is signed out, and whatever opened the vault before opens nothing
    /// that is written from now on.
    ///
    /// The old kit ends with the old holder: only its own key could box the new one. A client sends a new kit along.
    package func changePassword(_ secrets: Secrets, recovery: Secrets?, as caller: Caller) async throws -> NewSession {
        try caller.requireFreshOwner(at: now())
        try check(secrets)
        if let recovery { try check(recovery) }
        return try await replaceOwner(.passwordChange, recovery, as: caller) { secrets }
    }

    /// Signs out everything, everywhere, this session too. The password stays; `authKey` proves it.
    package func signOutEverywhere(authKey: SymmetricKey, recovery: Secrets?, as caller: Caller) async throws
        -> NewSession
    {
        try caller.requireOwner()
        if let recovery { try check(recovery) }
        guard let account = try store.account(of: caller.vault) else { throw AuthError.badToken }
        // With a stolen session this must not be a way to try passwords.
        let attempt = AbuseLimits.Attempt(
            account: account.emailIndex, network: caller.from?.neighbourhood, device: nil)
        try limits.admit(attempt)
        return try await replaceOwner(.signOutEverywhere, recovery, as: caller) {
            guard let stored = try store.credential(.password, of: caller.vault) else { throw AuthError.badToken }
            do {
                _ = try stored.open(authKey, root: keys.root)
            } catch BoxError.wrongKeyOrContext {
                try await fail("password", attempt, caller.vault, caller.from)
                throw AuthError.badCredentials
            }
            return Secrets(authKey: authKey, wrappedL2Key: try stored.openL2Key(root: keys.root) ?? [])
        }
    }

    /// Makes a new owner holder: re-wraps every data key in batches, then switches in one commit.
    private func replaceOwner(
        _ action: AuditEvent.Action, _ recovery: Secrets?, as caller: Caller, secrets: () async throws -> Secrets
    ) async throws -> NewSession {
        let vault = caller.vault
        let old = caller.holder
        return try await locks.withLock(for: caller, in: store) {
            let secrets = try await secrets()
            let owner = HolderKey.generate()
            let row = HolderRow(
                id: owner.id, vault: vault, isOwner: true,
                publicKey: try owner.storedPublicKey(vault: vault, isOwner: true, keys: keys))
            try await store.commit([.insertHolder(row)] as [Step], [])
            while true {
                let wraps = try await store.wraps(of: old.id, lackedBy: owner.id, limit: 500)
                if wraps.isEmpty { break }
                let renewed = try wraps.map { wrap in
                    Step.putWrap(owner.wrap(try old.unwrap(wrap, root: keys.root), at: wrap.place))
                }
                try await store.commit(renewed, [])
            }
            let password = credential(.password, secrets, owner, vault)
            var steps: [AccountStep] = [.vault(.insertCredential(password))]
            if let recovery { steps.append(.vault(.insertCredential(credential(.recovery, recovery, owner, vault)))) }
            for item in [OwnerItem.totp, .index] {
                guard let box = try await store.item(item, of: old.id) else { continue }
                let plaintext = try Box.open(
                    box, key: old.wrapKey, context: item.context(vault: vault, holder: old.id))
                let renewed = Box.seal(
                    plaintext, key: owner.wrapKey, context: item.context(vault: vault, holder: owner.id))
                steps.append(.vault(.putItem(item, owner.id, renewed)))
            }
            let session = try await session(for: owner, in: vault, l2Key: password, device: nil)
            steps.append(.switchOwner(vault, from: old.id, to: owner.id))
            steps += session.steps
            var event = caller.event(action, subject: old.id.text)
            event.successor = owner.id.text
            try await store.commit(steps, [try audit.seal(event, vault: vault)])
            try await store.forgetDeleted()
            return session.new
        }
    }

    // MARK: Kit and second factor

    /// Replaces the recovery kit, or removes it when `kit` is nil.
    package func setRecovery(_ kit: Secrets?, as caller: Caller) async throws {
        try caller.requireFreshOwner(at: now())
        if let kit { try check(kit) }
        var steps: [AccountStep] = [.deleteCredentials(.recovery, of: caller.vault)]
        if let kit { steps.append(.vault(.insertCredential(credential(.recovery, kit, caller.holder, caller.vault)))) }
        let event = caller.event(.recoveryChange, reason: kit == nil ? "removed" : "set")
        try await locks.withLock(for: caller, in: store) {
            try await store.commit(steps, [try audit.seal(event, vault: caller.vault)])
        }
    }

    /// First half of switching the second factor on: a new seed, not yet asked for.
    ///
    /// - Returns: The seed in base32.
    package func beginSecondFactor(as caller: Caller) async throws -> String {
        try caller.requireFreshOwner(at: now())
        let factor = SecondFactor.generate()
        let box = try factor.boxed(.pendingTOTP, vault: caller.vault, owner: caller.holder)
        try await locks.withLock(for: caller, in: store) {
            try await store.commit([.putItem(.pendingTOTP, caller.holder.id, box)] as [Step], [])
        }
        return factor.secret
    }

    /// Second half: a code shows that the seed arrived.
    ///
    /// - Returns: Ten recovery codes, each good once.
    package func confirmSecondFactor(_ code: String, as caller: Caller) async throws -> [String] {
        try caller.requireFreshOwner(at: now())
        return try await locks.withLock(for: caller, in: store) {
            guard let box = try await store.item(.pendingTOTP, of: caller.holder.id) else { throw AuthError.notEnabled }
            var factor = try SecondFactor(boxed: box, .pendingTOTP, vault: caller.vault, owner: caller.holder)
            guard factor.accept(code, at: now()) else { throw AuthError.secondFactorWrong }
            let codes = factor.makeRecoveryCodes()
            let final = try factor.boxed(.totp, vault: caller.vault, owner: caller.holder)
            try await store.commit(
                [.putItem(.totp, caller.holder.id, final), .dropItem(.pendingTOTP, caller.holder.id)] as [Step],
                [try audit.seal(caller.event(.secondFactorEnable), vault: caller.vault)])
            return codes
        }
    }

    package func endSecondFactor(as caller: Caller) async throws {
        try caller.requireFreshOwner(at: now())
        // Under the lock, so that a login under way does not put the factor back.
        try await locks.withLock(for: caller, in: store) {
            guard try await store.item(.totp, of: caller.holder.id) != nil else { throw AuthError.notEnabled }
            try await store.commit(
                [.dropItem(.totp, caller.holder.id), .dropItem(.pendingTOTP, caller.holder.id)] as [Step],
                [try audit.seal(caller.event(.secondFactorDisable), vault: caller.vault)])
        }
    }

    // MARK: L2

    /// Every L2 value of every version, as the client needs them to make a new l2Key.
    package func l2Values(as caller: Caller) async throws -> [StoredValue] {
        try caller.requireOwner()
        return try await store.l2Values(of: caller.vault)
    }

    /// Replaces the l2Key: every L2 envelope, of every version, and its wrapped copies, in one commit.
    ///
    /// Ends every other session: a client that still has the old key would write envelopes that nobody opens again, or
    /// wrap the old key anew in a change of password.
    package func rekeyL2(
        wrappedKey: [UInt8], recoveryWrappedKey: [UInt8]?, envelopes: [FieldPlace: [UInt8]], as caller: Caller
    ) async throws {
        try caller.requireFreshOwner(at: now())
        guard case .owner(let session, _) = caller.role else { throw VaultError.ownerOnly }
        try check(wrappedL2Key: wrappedKey)
        if let recoveryWrappedKey { try check(wrappedL2Key: recoveryWrappedKey) }
        try await locks.withLock(for: caller, in: store) {
            let places = Set(try await store.l2Values(of: caller.vault).map(\.place))
            guard places == Set(envelopes.keys) else {
                throw AuthError.invalid(
                    "envelopes", "must hold every L2 value of every version; \(places.count) are stored")
            }
            guard let password = try store.credential(.password, of: caller.vault) else { throw AuthError.badToken }
            var steps: [AccountStep] = [
                .deleteSessions(of: caller.vault, except: session),
                .deleteCredentials(.password, of: caller.vault),
                .vault(.insertCredential(password.replacingL2Key(wrappedKey, root: keys.root))),
            ]
            if let kit = try store.credential(.recovery, of: caller.vault) {
                steps.append(.deleteCredentials(.recovery, of: caller.vault))
                if let recoveryWrappedKey {
                    steps.append(
                        .vault(.insertCredential(kit.replacingL2Key(recoveryWrappedKey, root: keys.root))))
                }
            }
            for (place, envelope) in envelopes {
                try EntryEdit.checkEnvelope(envelope)
                steps.append(.vault(.replaceEnvelope(place, envelope)))
            }
            try await store.commit(steps, [try audit.seal(caller.event(.l2Rekey), vault: caller.vault)])
            try await store.forgetDeleted()
        }
    }

    // MARK: The end

    /// Deletes the account and all that it holds, the key of its audit bodies too.
    package func delete(as caller: Caller) async throws {
        try caller.requireFreshOwner(at: now())
        try await locks.withLock(for: caller, in: store) {
            let event = AuditEvent(
                .accountDelete, by: .init(.owner, caller.holder.id), from: caller.from?.text,
                subject: caller.vault.text)
            // Under the node's key: the vault's own is gone with this commit.
            try await store.commit([.deleteAccount(caller.vault)], [try audit.seal(event, vault: nil)])
            audit.forget(caller.vault)
            try await store.forgetDeleted()
        }
    }
}
