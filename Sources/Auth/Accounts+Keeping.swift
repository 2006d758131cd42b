import Crypto
import IPNetworks
package import Vault
package import VaultFormat

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

    package func profile(as principal: Principal) async throws -> Profile {
        try principal.authorize(.viewAccount, at: now())
        guard let account = try store.account(of: principal.vault) else { throw AuthError.badToken }
        let email = try keys.openNodeTier(account.email, .email, vault: principal.vault, id: principal.vault.bytes)
        return Profile(
            email: String(decoding: email, as: UTF8.self), vault: principal.vault, created: account.created,
            hasRecoveryKit: try store.credential(.recovery, of: principal.vault) != nil,
            hasSecondFactor: try await store.item(.totp, of: principal.holder.id) != nil,
            usage: try await store.usage(of: principal.vault), quotas: settings.quotas)
    }

    // MARK: Kit and second factor

    /// Replaces the recovery kit, or removes it when `kit` is nil.
    package func setRecovery(_ kit: Secrets?, proof: Proof, as principal: Principal) async throws {
        let permit = try principal.authorize(.changeRecoveryKit, at: now())
        if let kit { try check(kit) }
        try await unit.change(permit) { transaction in
            _ = try await check(proof, as: principal)
            // After the proof: who has a session alone must not use up what the owner needs.
            try operations.spend(principal.vault, share: .proven)
            transaction.write(.deleteCredentials(.recovery, of: principal.vault))
            if let kit {
                transaction.write(.insertCredential(credential(.recovery, kit, principal.holder, principal.vault)))
            }
            try transaction.log(principal.event(.recoveryChange, reason: kit == nil ? "removed" : "set"))
        }
    }

    /// First half of switching the second factor on: a new seed, not yet asked for.
    ///
    /// - Returns: The seed in base32.
    package func beginSecondFactor(as principal: Principal) async throws -> String {
        let permit = try principal.authorize(.beginSecondFactor, at: now())
        let factor = SecondFactor.generate()
        let box = try factor.boxed(.pendingTOTP, vault: principal.vault, owner: principal.holder)
        try await unit.change(permit) { $0.write(.putItem(.pendingTOTP, principal.holder.id, box)) }
        return factor.secret
    }

    /// Second half: a code shows that the seed arrived, the proof that it is the owner who wants it.
    ///
    /// - Returns: Ten recovery codes, each good once.
    package func confirmSecondFactor(_ code: String, proof: Proof, as principal: Principal) async throws -> [String] {
        let permit = try principal.authorize(.confirmSecondFactor, at: now())
        let session = try principal.requireSession()
        try operations.spend(principal.vault)
        return try await unit.change(permit) { transaction in
            _ = try await check(proof, as: principal)
            guard let box = try await store.item(.pendingTOTP, of: principal.holder.id) else {
                throw AuthError.notEnabled
            }
            var factor = try SecondFactor(boxed: box, .pendingTOTP, vault: principal.vault, owner: principal.holder)
            guard factor.accept(code, at: now()) else {
                try await store.commit(
                    try limits.failedProofCode(in: session).map(Mutation.putAbuse), [])
                throw AuthError.secondFactorWrong
            }
            let codes = factor.makeRecoveryCodes()
            let final = try factor.boxed(.totp, vault: principal.vault, owner: principal.holder)
            transaction.write(
                .putItem(.totp, principal.holder.id, final), .dropItem(.pendingTOTP, principal.holder.id))
            try transaction.log(principal.event(.secondFactorEnable))
            return codes
        }
    }

    package func endSecondFactor(proof: Proof, as principal: Principal) async throws {
        let permit = try principal.authorize(.endSecondFactor, at: now())
        try operations.spend(principal.vault)
        // Under the lock, so that a login under way does not put the factor back.
        try await unit.change(permit) { transaction in
            guard try await store.item(.totp, of: principal.holder.id) != nil else { throw AuthError.notEnabled }
            _ = try await check(proof, as: principal)
            transaction.write(
                .dropItem(.totp, principal.holder.id), .dropItem(.pendingTOTP, principal.holder.id))
            try transaction.log(principal.event(.secondFactorDisable))
        }
    }

    // MARK: L2

    /// L2 values of every version, as the client needs them to make a new l2Key, in pages. On record before they are
    /// returned.
    package func l2Values(
        after place: FieldPlace?, limit: Int, as principal: Principal
    ) async throws -> Page<StoredValue> {
        let permit = try principal.authorize(.exportL2, at: now())
        try operations.spend(for: principal)
        return try await unit.work.run(as: principal, in: store) {
            let page = try await store.l2Values(of: principal.vault, after: place, limit: PageLimit(rows: limit))
            guard !page.items.isEmpty else { return page }
            var event = principal.event(.export, reason: "l2")
            event.count = page.items.count
            var transaction = unit.transaction(for: permit)
            transaction.write(permit.mutations())
            try transaction.log(event)
            try await transaction.commit()
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
        wrappedKey: [UInt8], kit: Secrets?, envelopes: [FieldPlace: [UInt8]], proof: Proof, as principal: Principal
    ) async throws {
        let permit = try principal.authorize(.rekeyL2, at: now())
        let session = try principal.requireSession()
        try check(wrappedL2Key: wrappedKey)
        if let kit { try check(kit) }
        for envelope in envelopes.values { try EntryEdit.checkEnvelope(envelope) }
        try await unit.change(permit) { transaction in
            _ = try await check(proof, as: principal)
            // A commit for which everybody waits costs more the more it writes.
            try operations.spend(principal.vault, count: 1 + envelopes.count / Self.envelopesPerOperation)
            transaction.write(.stayWithin(settings.quotas, principal.vault))
            // Counted first: a vault may hold far more places than a request can name.
            let count = try await store.l2Count(of: principal.vault)
            guard count == envelopes.count, try await store.l2Places(of: principal.vault) == Set(envelopes.keys) else {
                throw AuthError.invalid(
                    "envelopes", "must hold every L2 value of every version; \(count) are stored")
            }
            guard let password = try store.credential(.password, of: principal.vault) else { throw AuthError.badToken }
            transaction.write(
                .deleteSessions(of: principal.vault, except: session),
                .deleteCredentials(.password, of: principal.vault),
                .insertCredential(password.replacingL2Key(wrappedKey, root: keys.root)))
            try transaction.log(principal.event(.l2Rekey))
            if let kit {
                transaction.write(
                    .deleteCredentials(.recovery, of: principal.vault),
                    .insertCredential(credential(.recovery, kit, principal.holder, principal.vault)))
                try transaction.log(principal.event(.recoveryChange, reason: "set"))
            } else if try store.credential(.recovery, of: principal.vault) != nil {
                throw AuthError.invalid("recovery", "must hold a new kit; the present one opens the old key alone")
            }
            transaction.write(envelopes.map { .replaceEnvelope($0, $1) })
            transaction.erase()
        }
    }

    // MARK: The end

    /// Deletes the account and all that it holds, the key of its audit bodies too.
    package func delete(as principal: Principal) async throws {
        try await unit.change(try principal.authorize(.deleteAccount, at: now())) { transaction in
            let event = AuditEvent(
                .accountDelete, by: .init(.owner, principal.holder.id), from: principal.from?.text,
                subject: principal.vault.text)
            transaction.write(.closeAccount(principal.vault))
            try transaction.logUnderNodeKey(event)
            try await transaction.commit()
            unit.audit.forget(principal.vault)
            await store.erase(principal.vault)
        }
    }
}
