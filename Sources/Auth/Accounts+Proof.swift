package import Crypto
import IPNetworks
import Vault
package import VaultFormat

extension Accounts {
    /// The secret of a permanent credential, with a code when the second factor is enabled. A request that changes such a
    /// credential contains it, so that a stolen session, however fresh, does not give permanent access.
    package struct Proof: Sendable {
        package var kind: CredentialKind
        package var secret: SymmetricKey
        package var code: String?

        /// `kind`: `.password`, or `.recovery` for a kit.
        package init(kind: CredentialKind, secret: SymmetricKey, code: String?) {
            self.kind = kind
            self.secret = secret
            self.code = code
        }
    }

    /// The result of a successful proof.
    struct Proven {
        let credential: StoredCredential
        /// Nil when the second factor is disabled.
        let factor: SecondFactor?
    }

    /// Checks a proof, under the vault's lock. Failures count only in the session that sent them, so that neither an
    /// unauthenticated client nor a thief in another session can keep the owner from changing credentials. An accepted code is
    /// used up, even if the request fails later.
    func check(_ proof: Proof, as principal: Principal) async throws -> Proven {
        let session = try principal.requireSession()
        try limits.admitProof(in: session)
        try admitAttempt(fromKnownDevice: true)
        let stored = try store.credential(proof.kind, of: principal.vault)
        do {
            let opened = try (stored ?? dummy).open(proof.secret, root: keys.root)
            guard let stored, opened.id == principal.holder.id else { throw AuthError.wrongProof }
            guard let box = try store.item(.totp, of: principal.holder.id, in: principal.vault) else {
                return Proven(credential: stored, factor: nil)
            }
            guard let code = proof.code else { throw AuthError.secondFactorNeeded }
            var factor = try SecondFactor(sealed: box, .totp, vault: principal.vault, owner: principal.holder)
            guard factor.accept(code, at: now()) else {
                try await failProof("second-factor", principal, abuse: try limits.failedProofCode(in: session))
                throw AuthError.secondFactorWrong
            }
            let spent = try factor.sealed(.totp, vault: principal.vault, owner: principal.holder)
            try await store.commit(
                [.putItem(.totp, principal.holder.id, vault: principal.vault, spent)],
                [try unit.audit.seal(principal.event(.codeUse), vault: principal.vault)])
            return Proven(credential: stored, factor: factor)
        } catch BoxError.wrongKeyOrContext {
            try await failProof("proof", principal, abuse: try limits.failedProof(in: session))
            throw AuthError.wrongProof
        }
    }

    private func failProof(_ reason: String, _ principal: Principal, abuse rows: [AbuseRow]) async throws {
        try await failures.record(
            principal.event(.denied, outcome: .failed, reason: reason), account: principal.vault.bytes,
            network: principal.from?.rateLimitPrefix, vault: principal.vault, abuse: rows)
    }
}
