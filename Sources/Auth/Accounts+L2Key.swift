import Crypto
package import Vault
package import VaultFormat

/// Export of L2 values and replacement of the l2Key.
extension Accounts {
    /// Lists L2 values of every version in pages, for a client that replaces the l2Key. Each page is in the audit log before it
    /// is returned.
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
            try transaction.log(event)
            try await transaction.commit()
            return page
        }
    }

    private static let envelopesPerOperation = 16

    /// Replaces the l2Key: every L2 envelope, of every version, and its wrapped copies, in one commit.
    ///
    /// Ends every other session: a client with the old key would write envelopes that can never be opened, or wrap the old key
    /// again in a change of password.
    ///
    /// `kit`: A new kit; required when the account has one, which can open only the old l2Key.
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
            // All other commits wait for this one, so it costs by its size.
            try operations.spend(principal.vault, count: 1 + envelopes.count / Self.envelopesPerOperation)
            transaction.write(.stayWithin(settings.quotas, principal.vault))
            // Counted first: a vault may have far more places than a request can name.
            let count = try await store.l2Count(of: principal.vault)
            guard count == envelopes.count, try await store.l2Places(of: principal.vault) == Set(envelopes.keys) else {
                throw AuthError.invalid(
                    "envelopes", "must contain every L2 value of every version; \(count) are stored")
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
                throw AuthError.invalid(
                    "recovery", "must contain a new kit, because the present one opens only the old key")
            }
            transaction.write(envelopes.map { .replaceEnvelope($0, $1) })
            transaction.erase()
        }
    }
}
