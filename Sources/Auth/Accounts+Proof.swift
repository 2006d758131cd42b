package import Crypto
import IPNetworks
import Vault
package import VaultFormat

extension Accounts {
    /// The secret of a lasting credential, and a code where the second factor is on, in the very request that changes one:
    /// who has stolen a session, however fresh, cannot make himself permanent with it.
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

    /// What a proof opened.
    struct Proven {
        let credential: StoredCredential
        /// Nil where the second factor is off.
        let factor: SecondFactor?
    }

    /// Checks a proof, under the vault's lock. Its failures count in the session that sent it and nowhere else, so that
    /// neither a stranger nor a thief in another session keeps the owner from changing what he has to. A code is spent
    /// once it is accepted, whatever comes of the request.
    func check(_ proof: Proof, as principal: Principal) async throws -> Proven {
        let session = try principal.requireSession()
        try limits.admitProof(in: session)
        try admitTry(byKnownDevice: true)
        let stored = try store.credential(proof.kind, of: principal.vault)
        do {
            let opened = try (stored ?? dummy).open(proof.secret, root: keys.root)
            guard let stored, opened.id == principal.holder.id else { throw AuthError.wrongProof }
            guard let box = try await store.item(.totp, of: principal.holder.id) else {
                return Proven(credential: stored, factor: nil)
            }
            guard let code = proof.code else { throw AuthError.secondFactorNeeded }
            var factor = try SecondFactor(boxed: box, .totp, vault: principal.vault, owner: principal.holder)
            guard factor.accept(code, at: now()) else {
                try await failProof("second-factor", principal, costing: try limits.failedProofCode(in: session))
                throw AuthError.secondFactorWrong
            }
            let spent = try factor.boxed(.totp, vault: principal.vault, owner: principal.holder)
            try await store.commit([.putItem(.totp, principal.holder.id, spent)], [])
            return Proven(credential: stored, factor: factor)
        } catch BoxError.wrongKeyOrContext {
            try await failProof("proof", principal, costing: try limits.failedProof(in: session))
            throw AuthError.wrongProof
        }
    }

    private func failProof(_ reason: String, _ principal: Principal, costing rows: [AbuseRow]) async throws {
        try await failures.record(
            principal.event(.denied, outcome: .failed, reason: reason), account: principal.vault.bytes,
            network: principal.from?.rateLimitPrefix, vault: principal.vault, costing: rows)
    }
}
