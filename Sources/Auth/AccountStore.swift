package import Vault
package import VaultFormat

/// A token's credential row, with the agent's row for an agent's token.
package struct PresentedToken: Sendable {
    package let credential: StoredCredential
    package let agent: StoredAgent?

    package init(credential: StoredCredential, agent: StoredAgent?) {
        self.credential = credential
        self.agent = agent
    }
}

/// Whether the disk has space to record sign-in attempts.
package enum RoomForSignIns: Sendable {
    case plenty
    /// The disk is full: each audit line takes space that revocations need.
    case scarce
    /// A failure could not be recorded, so no secret is checked.
    case none
}

/// Storage of accounts and credentials, in addition to the vault's rows. Decrypts nothing.
package protocol AccountStore: VaultStore {
    /// Looks up by key, fast enough not to suspend.
    func account(emailIndex: [UInt8]) throws -> AccountRow?
    func account(of vault: VaultID) throws -> AccountRow?
    func token(lookup: [UInt8]) throws -> PresentedToken?
    func credential(_ kind: CredentialKind, of vault: VaultID) throws -> StoredCredential?
    func passkey(lookup: [UInt8]) throws -> StoredCredential?
    /// The kit and the passkeys, oldest first.
    func kitAndPasskeys(of vault: VaultID) async throws -> [StoredCredential]
    /// Reads every item that the account lists.
    ///
    /// - Throws: `VaultError.vaultDamaged` when one is missing, `VaultError.principalGone` when `holder` is not the owner's present one.
    func items(of holder: HolderID, in vault: VaultID) throws -> [OwnerItem: [UInt8]]
    func sessions(of vault: VaultID) async throws -> [StoredCredential]
    func answer(to key: [UInt8], of holder: HolderID) throws -> IdempotencyRecord?
    /// Lists wraps of `holder` after a place, in the order of their places.
    func wraps(of holder: HolderID, after place: FieldPlace?, limit: Int) async throws -> [Wrap]
    var roomForSignIns: RoomForSignIns { get }
    /// Deletes the rows of a closed account in parts, so that no other commit waits for thousands of rows. `eraseClosedAccounts`
    /// finishes an incomplete deletion.
    func erase(_ vault: VaultID) async
}
