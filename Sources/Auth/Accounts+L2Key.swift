import Crypto
package import Vault
package import VaultFormat

/// Generations of the l2Key. A rekey begins here with the next one; `Entries.rekey` then gives each entry another key.
extension Accounts {
    /// The state of the l2Key, and the entries that a rekey has not reached, trashed ones too, in the order of their ids.
    package func l2Status(
        after last: EntryID?, limit: Int, as principal: Principal
    ) async throws -> (state: L2State, entries: Page<EntryID>) {
        try principal.authorize(.viewL2, at: now())
        return try await unit.work.run(as: principal, in: store) {
            guard let state = try store.l2State(of: principal.vault) else { throw AuthError.badToken }
            let entries = try await store.l2Entries(
                of: principal.vault, before: state.generation, after: last, limit: limit)
            return (state, entries)
        }
    }

    /// The next generation of the l2Key, as the client makes it.
    package struct NextL2Key: Sendable {
        package let generation: Int
        /// Under the password's companion key.
        package let wrappedKey: [UInt8]
        /// The present l2Key under the new one.
        package let previous: [UInt8]
        /// A new kit; required when the account has one, which can open only the old l2Key.
        package let kit: Kit?

        package init(generation: Int, wrappedKey: [UInt8], previous: [UInt8], kit: Kit?) {
            self.generation = generation
            self.wrappedKey = wrappedKey
            self.previous = previous
            self.kit = kit
        }
    }

    /// Begins a rekey: replaces the wrapped copies of the l2Key by those of the next generation.
    ///
    /// Ends every other session: a client with the old key could write nothing, and would wrap the old key again in a change of password.
    /// Passkeys no longer open L2 values until they are added again.
    ///
    /// - Throws: `VaultError.l2RekeyRunning` until the last entry has the present generation; `VaultError.l2KeyChanged` for another
    ///   generation than the next.
    package func rekeyL2(_ next: NextL2Key, proof: Proof, as principal: Principal) async throws {
        let permit = try principal.authorize(.rekeyL2, at: now())
        let session = try principal.requireSession()
        try check(wrappedL2Key: next.wrappedKey, "l2.wrappedKey")
        try check(wrappedL2Key: next.previous, "previous")
        if let kit = next.kit {
            try check(kit.secrets)
            guard kit.secrets.l2Generation == next.generation else {
                throw AuthError.invalid("recovery.l2.generation", "must be l2.generation")
            }
        }
        try await unit.change(permit) { transaction in
            _ = try await check(proof, as: principal, in: &transaction)
            try operations.spend(principal.vault, share: .proven)
            guard let account = try store.account(of: principal.vault),
                let password = try store.credential(.password, of: principal.vault)
            else { throw AuthError.badToken }
            guard account.l2.previous == nil else { throw VaultError.l2RekeyRunning }
            guard next.generation == account.l2.generation + 1, L2Key.generations.contains(next.generation) else {
                throw VaultError.l2KeyChanged
            }
            let rows = try await store.l2Entries(of: principal.vault, before: next.generation, after: nil, limit: 1)
            transaction.write(
                .beginL2Rekey(
                    principal.vault, generation: next.generation, previous: rows.items.isEmpty ? nil : next.previous),
                .deleteSessions(of: principal.vault, except: session),
                .deleteCredentials(.password, of: principal.vault),
                .insertCredential(password.replacingL2Key(next.wrappedKey, root: keys.root)),
                .dropPasskeyL2Keys(of: principal.vault))
            try transaction.log(principal.event(.l2Rekey))
            if let kit = next.kit {
                try replaceKit(by: kit, as: principal, in: &transaction)
            } else if try store.credential(.recovery, of: principal.vault) != nil {
                throw AuthError.invalid(
                    "recovery", "must contain a new kit, because the present one opens only the old key")
            }
            // The old copies, which former passwords open, are in the WAL.
            transaction.erase()
        }
    }

    /// Checks that the copies of the l2Key in a request are of the present generation. Under the vault's lock.
    ///
    /// - Throws: `VaultError.l2KeyChanged`.
    func checkGeneration(of secrets: [Secrets?], in vault: VaultID) throws {
        let generation = try l2Generation(of: vault)
        guard secrets.allSatisfy({ ($0?.l2Generation ?? generation) == generation }) else {
            throw VaultError.l2KeyChanged
        }
    }

    /// The account's present generation of the l2Key.
    func l2Generation(of vault: VaultID) throws -> Int {
        guard let state = try store.l2State(of: vault) else { throw AuthError.badToken }
        return state.generation
    }
}
