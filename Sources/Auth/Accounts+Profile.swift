import IPNetworks
package import Vault
package import VaultFormat

/// The account's profile, its recovery kit and its deletion.
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
            hasSecondFactor: account.items.contains(.totp),
            usage: try await store.usage(of: principal.vault), quotas: settings.quotas)
    }

    /// Replaces the recovery kit, or removes it when `kit` is nil.
    package func setRecovery(_ kit: Kit?, proof: Proof, as principal: Principal) async throws {
        let permit = try principal.authorize(.changeRecoveryKit, at: now())
        if let kit { try check(kit.secrets) }
        try await unit.change(permit) { transaction in
            _ = try await check(proof, as: principal, in: &transaction)
            try checkGeneration(of: [kit?.secrets], in: principal.vault)
            // After the proof: a stolen session alone must not use up the owner's operations.
            try operations.spend(principal.vault, share: .proven)
            try replaceKit(by: kit, as: principal, in: &transaction)
        }
    }

    /// Removes the present kit and adds `kit`, if there is one, with their audit line.
    func replaceKit(by kit: Kit?, as principal: Principal, in transaction: inout Transaction) throws {
        let old = try store.credential(.recovery, of: principal.vault)
        // Inserted first, so that it cannot have the present one's id.
        if let kit {
            transaction.write(.insertCredential(try self.kit(kit, principal.holder, principal.vault)))
        }
        if let old { transaction.write(.deleteCredential(old.id)) }
        try transaction.log(
            principal.event(
                .recoveryChange, subject: (kit?.id ?? old?.id)?.text, reason: kit == nil ? "removed" : "set"))
    }

    /// Deletes the account with its vault and the key of its audit bodies.
    package func delete(as principal: Principal) async throws {
        try await unit.change(try principal.authorize(.deleteAccount, at: now())) { transaction in
            let event = AuditEvent(
                .accountDelete, by: .init(.owner, principal.id), from: principal.from?.text,
                subject: principal.vault.text)
            transaction.write(.closeAccount(principal.vault))
            // The vault's own line, which nobody can read afterwards, ends its state in the chain.
            try transaction.log(event)
            try transaction.logUnderNodeKey(event)
            try await transaction.commit()
            unit.audit.evictKey(of: principal.vault)
            await store.erase(principal.vault)
        }
    }
}
