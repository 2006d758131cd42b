package import Crypto
import Encoding
package import IPNetworks
import Vault
import VaultFormat

/// Sign-in with a passkey, which stands for password and second factor.
extension Accounts {
    package struct PasskeyLogin: Sendable {
        package var authKey: SymmetricKey
        package var assertion: PasskeyAssertion
        /// Nil when the client does not say.
        package var credentialID: [UInt8]?
        package var device: [UInt8]?

        package init(
            authKey: SymmetricKey, assertion: PasskeyAssertion, credentialID: [UInt8]?, device: [UInt8]?
        ) {
            self.authKey = authKey
            self.assertion = assertion
            self.credentialID = credentialID
            self.device = device
        }
    }

    /// A challenge for a passkey to sign, and the name that passkeys of this node are bound to.
    package func passkeyChallenge() -> (challenge: [UInt8], relyingParty: String) {
        (challenges.make(), settings.web.relyingParty)
    }

    /// Opens a session with a passkey, without an address.
    package func login(_ request: PasskeyLogin, from address: IPAddress?) async throws -> NewSession {
        let network = address?.rateLimitPrefix
        // Nobody guesses 256 bits; the limit keeps failures from filling the log.
        guard let stored = try store.passkey(lookup: request.authKey.tokenLookup),
            let account = try store.account(of: stored.vault)
        else {
            try limits.admitUnknown(from: network)
            try admitAttempt(fromKnownDevice: false)
            let unknown = AbuseLimits.Attempt(account: [], network: network, device: nil)
            try await fail("passkey", unknown, nil, address, abuse: try limits.failedUnknown(from: network))
            throw AuthError.badCredentials
        }
        let device = knownDevice(request.device, account.vault, account.owner, withCode: true)
        let attempt = AbuseLimits.Attempt(
            account: account.emailIndex, network: network, device: device, hasPassedCode: device != nil)
        try limits.admit(attempt)
        try admitAttempt(fromKnownDevice: device != nil)
        let owner: HolderKey
        do {
            _ = try verified(request.assertion, of: stored)
            owner = try stored.open(request.authKey, root: keys.root)
        } catch is PasskeyAssertion.Refusal {
            return try await refuse(attempt, account.vault, address)
        } catch BoxError.wrongKeyOrContext {
            // The row with this look-up value belongs to another secret.
            return try await refuse(attempt, account.vault, address)
        }
        let identified = Identified(account: account, owner: owner, credential: stored.id, attempt: attempt)
        return try await unit.change(byProvenOwnerOf: account.vault, isLong: false) { transaction in
            try limits.admit(attempt)
            return try await begin(request, identified, from: address, in: &transaction)
        }
    }

    private func refuse<R>(
        _ attempt: AbuseLimits.Attempt, _ vault: VaultID, _ address: IPAddress?
    ) async throws -> R {
        try await fail("passkey", attempt, vault, address, abuse: try limits.failed(attempt))
        throw AuthError.badCredentials
    }

    /// Completes a sign-in. Under the vault's lock, so that an assertion is accepted once.
    private func begin(
        _ request: PasskeyLogin, _ identified: Identified, from address: IPAddress?, in transaction: inout Transaction
    ) async throws -> NewSession {
        let (vault, owner, attempt) = (identified.account.vault, identified.owner, identified.attempt)
        // It may have been removed or kept for another key holder while the request waited.
        guard let stored = try store.passkey(lookup: request.authKey.tokenLookup), stored.id == identified.credential,
            stored.holder == owner.id
        else { throw AuthError.badCredentials }
        let answered: Int64
        do {
            answered = try verified(request.assertion, of: stored)
        } catch is PasskeyAssertion.Refusal {
            return try await refuse(attempt, vault, address)
        }
        let items = try store.items(of: owner.id, in: vault)
        if let id = request.credentialID {
            let details = try items[.passkey(stored.id)].map {
                try PasskeyDetails(sealed: $0, stored.id, vault: vault, owner: owner)
            }
            guard details?.credentialID == id else { return try await refuse(attempt, vault, address) }
        }
        try spendSignIn(vault)
        limits.succeeded(attempt)
        let session = try await session(for: owner, in: vault, l2Key: stored, device: request.device, withCode: true)
        transaction.write(.acceptChallenge(stored.id, answered))
        transaction.write(try use(of: stored, request.authKey, opening: owner))
        transaction.write(session.mutations)
        try transaction.log(
            AuditEvent(
                .login, by: .init(.owner, vault.owner), from: address?.text, subject: session.new.id.text,
                reason: "passkey"))
        return session.new
    }

    /// Verifies an assertion of a passkey.
    ///
    /// - Returns: The time of its challenge, in microseconds.
    /// - Throws: `PasskeyAssertion.Refusal`; `RootBoxError` when the row fails authentication.
    func verified(_ assertion: PasskeyAssertion?, of passkey: StoredCredential) throws -> Int64 {
        guard let assertion else { throw PasskeyAssertion.Refusal.signature }
        guard let key = try passkey.openSeal(root: keys.root).assertionKey else {
            throw RootBoxError.notOurs(.malformed)
        }
        let answered = try challenges.time(of: try assertion.verify(key, at: settings.web))
        guard answered > passkey.challenged ?? -1 else { throw PasskeyAssertion.Refusal.challenge }
        return answered
    }
}
