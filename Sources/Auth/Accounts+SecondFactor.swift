import Crypto
package import Vault
import VaultFormat

/// Enabling and disabling the second factor.
extension Accounts {
    /// Generates a new seed: the first step of enabling the second factor. Logins do not require it yet.
    ///
    /// - Returns: The seed in base 32.
    package func beginSecondFactor(as principal: Principal) async throws -> String {
        let permit = try principal.authorize(.beginSecondFactor, at: now())
        let factor = SecondFactor.generate()
        let box = try factor.sealed(.pendingTOTP, vault: principal.vault, owner: principal.holder)
        try await unit.change(permit) { transaction in
            transaction.write(.putItem(.pendingTOTP, principal.holder.id, vault: principal.vault, box))
            try transaction.log(principal.event(.secondFactorBegin))
        }
        return factor.secret
    }

    /// Enables the second factor. The code shows that the client has the seed; the proof authenticates the owner.
    ///
    /// - Returns: Ten recovery codes, each valid once.
    package func confirmSecondFactor(_ code: String, proof: Proof, as principal: Principal) async throws -> [String] {
        let permit = try principal.authorize(.confirmSecondFactor, at: now())
        let session = try principal.requireSession()
        try operations.spend(principal.vault)
        return try await unit.change(permit) { transaction in
            _ = try await check(proof, as: principal, in: &transaction)
            guard let box = try store.items(of: principal.holder.id, in: principal.vault)[.pendingTOTP] else {
                throw AuthError.notBegun
            }
            var factor = try SecondFactor(sealed: box, .pendingTOTP, vault: principal.vault, owner: principal.holder)
            guard factor.accept(code, at: now()) else {
                try await store.commit(
                    try limits.failedProofCode(in: session).map(Mutation.putAbuse), [])
                throw AuthError.secondFactorWrong
            }
            let codes = factor.makeRecoveryCodes()
            let final = try factor.sealed(.totp, vault: principal.vault, owner: principal.holder)
            transaction.write(
                .putItem(.totp, principal.holder.id, vault: principal.vault, final),
                .dropItem(.pendingTOTP, principal.holder.id, vault: principal.vault))
            try transaction.log(principal.event(.secondFactorEnable))
            return codes
        }
    }

    /// Disables the second factor.
    package func endSecondFactor(proof: Proof, as principal: Principal) async throws {
        let permit = try principal.authorize(.endSecondFactor, at: now())
        try operations.spend(principal.vault)
        // Under the lock, so that a concurrent login does not store the factor again.
        try await unit.change(permit) { transaction in
            guard try store.items(of: principal.holder.id, in: principal.vault)[.totp] != nil else {
                throw AuthError.notEnabled
            }
            _ = try await check(proof, as: principal, in: &transaction)
            transaction.write(
                .dropItem(.totp, principal.holder.id, vault: principal.vault),
                .dropItem(.pendingTOTP, principal.holder.id, vault: principal.vault))
            try transaction.log(principal.event(.secondFactorDisable))
        }
    }
}
