package import Crypto
package import Vault
package import VaultFormat

/// The list of kit and passkeys, and enrolment and removal of passkeys.
extension Accounts {
    /// A kit or passkey, for the owner's list.
    package struct LastingCredential: Sendable {
        package let id: CredentialID
        package let kind: CredentialKind
        /// Unix seconds.
        package let created: Int64
        /// Nil when it was not used yet.
        package let lastUsed: Int64?
        package let opensL2: Bool
        /// Of a passkey.
        package let details: PasskeyDetails?
    }

    /// Lists the kit and the passkeys, oldest first.
    package func credentials(as principal: Principal) async throws -> [LastingCredential] {
        try principal.authorize(.viewCredentials, at: now())
        let items = try store.items(of: principal.holder.id, in: principal.vault)
        return try await store.kitAndPasskeys(of: principal.vault).map { row in
            let details = try items[.passkey(row.id)].map {
                try PasskeyDetails(sealed: $0, row.id, vault: principal.vault, owner: principal.holder)
            }
            return LastingCredential(
                id: row.id, kind: row.kind, created: row.created,
                lastUsed: row.lastUsed > row.created ? row.lastUsed : nil, opensL2: row.l2Key != nil, details: details)
        }
    }

    package struct NewPasskey: Sendable {
        package var id: CredentialID
        /// 32 bytes.
        package var authKey: SymmetricKey
        /// Nil for a passkey that opens no L2 values.
        package var wrappedL2Key: [UInt8]?
        package var l2Generation: Int?
        package var key: AssertionKey
        package var details: PasskeyDetails

        package init(
            id: CredentialID, authKey: SymmetricKey, wrappedL2Key: [UInt8]?, l2Generation: Int?, key: AssertionKey,
            details: PasskeyDetails
        ) {
            self.id = id
            self.authKey = authKey
            self.wrappedL2Key = wrappedL2Key
            self.l2Generation = l2Generation
            self.key = key
            self.details = details
        }
    }

    private static let mostPasskeys = 16

    package func addPasskey(
        _ new: NewPasskey, proof: Proof, as principal: Principal
    ) async throws -> LastingCredential {
        let permit = try principal.authorize(.addPasskey, at: now())
        guard new.authKey.bitCount == 256 else { throw AuthError.invalid("authKey", "must be 32 bytes") }
        if let wrapped = new.wrappedL2Key { try check(wrappedL2Key: wrapped, "l2.wrappedKey") }
        guard new.key.isSound else {
            throw AuthError.invalid(
                "publicKey", "must be a SubjectPublicKeyInfo of a P-256 key or of an RSA key of 2048 to 4096 bits")
        }
        var details = new.details
        try details.check()
        details.made = now()
        return try await unit.change(permit) { [details] transaction in
            _ = try await check(proof, as: principal, in: &transaction)
            if let generation = new.l2Generation, try generation != l2Generation(of: principal.vault) {
                throw VaultError.l2KeyChanged
            }
            try operations.spend(principal.vault, share: .proven)
            let present = try await store.kitAndPasskeys(of: principal.vault).count { $0.kind == .passkey }
            guard present < Self.mostPasskeys else {
                throw AuthError.invalid("id", "must not be that of a seventeenth passkey; remove one first")
            }
            let row = try StoredCredential.makeSealable(
                .passkey, id: new.id, secret: new.authKey, holder: principal.holder, vault: principal.vault,
                assertionKey: new.key, created: details.made, l2Key: new.wrappedL2Key, root: keys.root)
            transaction.write(
                .insertCredential(row),
                .putItem(
                    .passkey(new.id), principal.holder.id, vault: principal.vault,
                    try details.sealed(new.id, vault: principal.vault, owner: principal.holder)))
            try transaction.log(principal.event(.passkeyChange, subject: new.id.text, reason: "set"))
            return LastingCredential(
                id: new.id, kind: .passkey, created: row.created, lastUsed: nil, opensL2: row.l2Key != nil,
                details: details)
        }
    }

    package func renamePasskey(_ id: CredentialID, to name: String, as principal: Principal) async throws {
        let permit = try principal.authorize(.renamePasskey, at: now())
        try PasskeyDetails.check(name: name)
        try operations.spend(for: principal)
        try await unit.change(permit) { transaction in
            guard let box = try store.items(of: principal.holder.id, in: principal.vault)[.passkey(id)] else {
                throw AuthError.noSuchPasskey
            }
            var details = try PasskeyDetails(sealed: box, id, vault: principal.vault, owner: principal.holder)
            details.name = name
            transaction.write(
                .putItem(
                    .passkey(id), principal.holder.id, vault: principal.vault,
                    try details.sealed(id, vault: principal.vault, owner: principal.holder)))
            try transaction.log(principal.event(.passkeyChange, subject: id.text, reason: "renamed"))
        }
    }

    /// Ends a passkey. Sessions that it opened go on.
    package func removePasskey(_ id: CredentialID, proof: Proof, as principal: Principal) async throws {
        let permit = try principal.authorize(.removePasskey, at: now())
        try await unit.change(permit) { transaction in
            _ = try await check(proof, as: principal, in: &transaction)
            try operations.spend(principal.vault, share: .proven)
            let present = try await store.kitAndPasskeys(of: principal.vault)
            guard present.contains(where: { $0.id == id && $0.kind == .passkey }) else {
                throw AuthError.noSuchPasskey
            }
            transaction.write(
                .deleteCredential(id), .dropItem(.passkey(id), principal.holder.id, vault: principal.vault))
            try transaction.log(principal.event(.passkeyChange, subject: id.text, reason: "removed"))
        }
    }
}
