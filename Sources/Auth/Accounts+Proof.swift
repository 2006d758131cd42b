package import Crypto
import IPNetworks
import Vault
package import VaultFormat

extension Accounts {
    /// The secret of a permanent credential: with a code when the second factor is enabled, or of a passkey with its assertion, which
    /// stands for both. A request that changes such a credential contains it, so that a stolen session, however fresh, does not
    /// give permanent access.
    package struct Proof: Sendable {
        package var kind: CredentialKind
        package var secret: SymmetricKey
        package var code: String?
        package var assertion: PasskeyAssertion?

        /// `kind`: `.password`, `.recovery` for a kit, or `.passkey`.
        package init(
            kind: CredentialKind, secret: SymmetricKey, code: String?, assertion: PasskeyAssertion? = nil
        ) {
            self.kind = kind
            self.secret = secret
            self.code = code
            self.assertion = assertion
        }
    }

    /// The result of a successful proof.
    struct Proven {
        let credential: StoredCredential
        /// Nil when the second factor is disabled, or when a passkey stood for it.
        var factor: SecondFactor?
        /// Whether the proof was more than a password or kit.
        var hasPassedCode: Bool { factor != nil || credential.kind == .passkey }
    }

    /// Checks a proof, under the vault's lock. Failures count only in the session that sent them, so that neither an
    /// unauthenticated client nor a thief in another session can keep the owner from changing credentials. An accepted code or
    /// challenge is used up, even if the request fails later.
    ///
    /// `transaction`: Gets the mutations with which the credential notes its use.
    func check(_ proof: Proof, as principal: Principal, in transaction: inout Transaction) async throws -> Proven {
        let session = try principal.requireSession()
        try limits.admitProof(in: session)
        try admitAttempt(fromKnownDevice: true)
        let stored = try presented(proof, in: principal.vault)
        do {
            let dummy = proof.kind == .password ? dummyPassword : dummyKit
            let opened = try (stored ?? dummy).open(proof.secret, root: keys.root)
            guard let stored, opened.id == principal.holder.id else { throw AuthError.wrongProof }
            if stored.kind.hasSeal {
                transaction.write(try use(of: stored, proof.secret, opening: opened))
            }
            guard stored.kind != .passkey else {
                try await spend(proof.assertion, of: stored, as: principal)
                return Proven(credential: stored)
            }
            return Proven(
                credential: stored, factor: try await spendCode(proof.code, as: principal, in: session))
        } catch BoxError.wrongKeyOrContext {
            try await failProof("proof", principal, abuse: try limits.failedProof(in: session))
            throw AuthError.wrongProof
        }
    }

    /// The row that a proof is for; nil when there is none.
    private func presented(_ proof: Proof, in vault: VaultID) throws -> StoredCredential? {
        switch proof.kind {
        case .password, .recovery: try store.credential(proof.kind, of: vault)
        case .passkey:
            try store.passkey(lookup: proof.secret.tokenLookup).flatMap { $0.vault == vault ? $0 : nil }
        case .session, .agent: throw AuthError.invalid("proof.kind", "must be a lasting credential")
        }
    }

    private func spendCode(
        _ code: String?, as principal: Principal, in session: CredentialID
    ) async throws -> SecondFactor? {
        guard let box = try store.items(of: principal.holder.id, in: principal.vault)[.totp] else { return nil }
        guard let code else { throw AuthError.secondFactorNeeded }
        var factor = try SecondFactor(sealed: box, .totp, vault: principal.vault, owner: principal.holder)
        guard factor.accept(code, at: now()) else {
            try await failProof("second-factor", principal, abuse: try limits.failedProofCode(in: session))
            throw AuthError.secondFactorWrong
        }
        let spent = try factor.sealed(.totp, vault: principal.vault, owner: principal.holder)
        try await store.commit(
            [.putItem(.totp, principal.holder.id, vault: principal.vault, spent)],
            [try unit.audit.seal(principal.event(.codeUse), vault: principal.vault)])
        return factor
    }

    /// Verifies a passkey's assertion, and records that its challenge was answered.
    ///
    /// - Throws: `BoxError.wrongKeyOrContext` for an assertion that is not accepted.
    private func spend(
        _ assertion: PasskeyAssertion?, of passkey: StoredCredential, as principal: Principal
    ) async throws {
        let answered: Int64
        do {
            answered = try verified(assertion, of: passkey)
        } catch is PasskeyAssertion.Refusal {
            throw BoxError.wrongKeyOrContext
        }
        try await store.commit(
            [.acceptChallenge(passkey.id, answered)],
            [
                try unit.audit.seal(
                    principal.event(.codeUse, subject: passkey.id.text, reason: "passkey"), vault: principal.vault)
            ])
    }

    private func failProof(_ reason: String, _ principal: Principal, abuse rows: [AbuseRow]) async throws {
        try await failures.record(
            principal.event(.denied, outcome: .failed, reason: reason), account: principal.vault.bytes,
            network: principal.from?.rateLimitPrefix, vault: principal.vault, abuse: rows)
    }
}
