import Crypto
import IPNetworks
package import Vault

extension Accounts {
    package struct Profile: Sendable {
        package let email: String
        package let vault: VaultID
        package let created: Int64
        package let hasRecoveryKit: Bool
        package let hasSecondFactor: Bool
        package let usage: VaultUsage
        package let quotas: Quotas
    }

    package func profile(as caller: Caller) async throws -> Profile {
        try caller.requireOwner()
        guard let account = try store.account(of: caller.vault) else { throw AuthError.badToken }
        let email = try keys.openNodeTier(account.email, .email, vault: caller.vault, id: caller.vault.bytes)
        return Profile(
            email: String(decoding: email, as: UTF8.self), vault: caller.vault, created: account.created,
            hasRecoveryKit: try store.credential(.recovery, of: caller.vault) != nil,
            hasSecondFactor: try await store.item(.totp, of: caller.holder.id) != nil,
            usage: try await store.usage(of: caller.vault), quotas: settings.quotas)
    }

    // MARK: Kit and second factor

    /// Replaces the recovery kit, or removes it when `kit` is nil.
    package func setRecovery(_ kit: Secrets?, proof: Proof, as caller: Caller) async throws {
        try caller.requireOwner()
        if let kit { try check(kit) }
        try await locks.withLock(for: caller, in: store) {
            _ = try await check(proof, as: caller)
            var mutations: [Mutation] = []
            // After the proof: who has a session alone must not use up what the owner needs.
            try operations.spend(caller.vault, share: .proven)
            mutations.append(.deleteCredentials(.recovery, of: caller.vault))
            if let kit {
                mutations.append(.insertCredential(credential(.recovery, kit, caller.holder, caller.vault)))
            }
            let event = caller.event(.recoveryChange, reason: kit == nil ? "removed" : "set")
            try await store.commit(mutations, [try audit.seal(event, vault: caller.vault)])
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
            try await store.commit([.putItem(.pendingTOTP, caller.holder.id, box)], [])
        }
        return factor.secret
    }

    /// Second half: a code shows that the seed arrived, the proof that it is the owner who wants it.
    ///
    /// - Returns: Ten recovery codes, each good once.
    package func confirmSecondFactor(_ code: String, proof: Proof, as caller: Caller) async throws -> [String] {
        guard case .owner(let session, _) = caller.role else { throw VaultError.ownerOnly }
        try operations.spend(caller.vault)
        return try await locks.withLock(for: caller, in: store) {
            _ = try await check(proof, as: caller)
            guard let box = try await store.item(.pendingTOTP, of: caller.holder.id) else { throw AuthError.notEnabled }
            var factor = try SecondFactor(boxed: box, .pendingTOTP, vault: caller.vault, owner: caller.holder)
            guard factor.accept(code, at: now()) else {
                try await store.commit(
                    try limits.failedProofCode(in: session).map(Mutation.putAbuse), [])
                throw AuthError.secondFactorWrong
            }
            let codes = factor.makeRecoveryCodes()
            let final = try factor.boxed(.totp, vault: caller.vault, owner: caller.holder)
            try await store.commit(
                [.putItem(.totp, caller.holder.id, final), .dropItem(.pendingTOTP, caller.holder.id)],
                [try audit.seal(caller.event(.secondFactorEnable), vault: caller.vault)])
            return codes
        }
    }

    package func endSecondFactor(proof: Proof, as caller: Caller) async throws {
        try caller.requireOwner()
        try operations.spend(caller.vault)
        // Under the lock, so that a login under way does not put the factor back.
        try await locks.withLock(for: caller, in: store) {
            guard try await store.item(.totp, of: caller.holder.id) != nil else { throw AuthError.notEnabled }
            _ = try await check(proof, as: caller)
            try await store.commit(
                [.dropItem(.totp, caller.holder.id), .dropItem(.pendingTOTP, caller.holder.id)],
                [try audit.seal(caller.event(.secondFactorDisable), vault: caller.vault)])
        }
    }

    // MARK: L2

    /// L2 values of every version, as the client needs them to make a new l2Key, in pages. On record before they are
    /// returned.
    package func l2Values(
        after place: FieldPlace?, limit: Int, as caller: Caller
    ) async throws -> Page<StoredValue> {
        guard case .owner(let session, _) = caller.role else { throw VaultError.ownerOnly }
        try operations.spend(for: caller)
        return try await work.run(as: caller, in: store) {
            let page = try await store.l2Values(of: caller.vault, after: place, limit: PageLimit(rows: limit))
            guard !page.items.isEmpty else { return page }
            var event = caller.event(.export, reason: "l2")
            event.count = page.items.count
            try await store.commit(
                [.expectCaller(caller.holder.id, session: session, policy: nil)],
                [try audit.seal(event, vault: caller.vault)])
            return page
        }
    }

    private static let envelopesPerOperation = 16

    /// Replaces the l2Key: every L2 envelope, of every version, and its wrapped copies, in one commit.
    ///
    /// Ends every other session: a client that still has the old key would write envelopes that nobody opens again, or
    /// wrap the old key anew in a change of password.
    ///
    /// `kit`: A new kit; needed where there is one, which opens the old l2Key alone.
    package func rekeyL2(
        wrappedKey: [UInt8], kit: Secrets?, envelopes: [FieldPlace: [UInt8]], proof: Proof, as caller: Caller
    ) async throws {
        guard case .owner(let session, _) = caller.role else { throw VaultError.ownerOnly }
        try check(wrappedL2Key: wrappedKey)
        if let kit { try check(kit) }
        for envelope in envelopes.values { try EntryEdit.checkEnvelope(envelope) }
        try await change(as: caller) {
            _ = try await check(proof, as: caller)
            // A commit for which everybody waits costs more the more it writes.
            try operations.spend(caller.vault, count: 1 + envelopes.count / Self.envelopesPerOperation)
            var mutations: [Mutation] = []
            mutations.append(.stayWithin(settings.quotas, caller.vault))
            // Counted first: a vault may hold far more places than a request can name.
            let count = try await store.l2Count(of: caller.vault)
            guard count == envelopes.count, try await store.l2Places(of: caller.vault) == Set(envelopes.keys) else {
                throw AuthError.invalid(
                    "envelopes", "must hold every L2 value of every version; \(count) are stored")
            }
            guard let password = try store.credential(.password, of: caller.vault) else { throw AuthError.badToken }
            mutations += [
                .deleteSessions(of: caller.vault, except: session),
                .deleteCredentials(.password, of: caller.vault),
                .insertCredential(password.replacingL2Key(wrappedKey, root: keys.root)),
            ]
            var events = [caller.event(.l2Rekey)]
            if let kit {
                mutations.append(.deleteCredentials(.recovery, of: caller.vault))
                mutations.append(.insertCredential(credential(.recovery, kit, caller.holder, caller.vault)))
                events.append(caller.event(.recoveryChange, reason: "set"))
            } else if try store.credential(.recovery, of: caller.vault) != nil {
                throw AuthError.invalid("recovery", "must hold a new kit; the present one opens the old key alone")
            }
            for (place, envelope) in envelopes { mutations.append(.replaceEnvelope(place, envelope)) }
            try await store.commit(mutations, try events.map { try audit.seal($0, vault: caller.vault) })
            await store.forgetDeleted()
        }
    }

    // MARK: The end

    /// Deletes the account and all that it holds, the key of its audit bodies too.
    package func delete(as caller: Caller) async throws {
        try caller.requireFreshOwner(at: now())
        try await locks.withLock(for: caller, in: store, isUrgent: true) {
            let event = AuditEvent(
                .accountDelete, by: .init(.owner, caller.holder.id), from: caller.from?.text,
                subject: caller.vault.text)
            // Under the node's key: the vault's own is gone with this commit.
            try await store.commit([.closeAccount(caller.vault)], [try audit.seal(event, vault: nil)])
            audit.forget(caller.vault)
            await store.erase(caller.vault)
        }
    }
}
