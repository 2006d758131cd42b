package import Vault
package import VaultFormat

/// A token's row, and the agent's if it is an agent's.
package struct PresentedToken: Sendable {
    package let credential: StoredCredential
    package let agent: StoredAgent?

    package init(credential: StoredCredential, agent: StoredAgent?) {
        self.credential = credential
        self.agent = agent
    }
}

/// Whether tries to sign in can go on record.
package enum RoomForSignIns: Sendable {
    case plenty
    /// The disk is full: each line takes room from those by which access is taken away.
    case scarce
    /// A failure could not be written down, so that no secret is looked at.
    case none
}

/// Where accounts and credentials rest. Adds to the vault's rows; opens nothing.
package protocol AccountStore: VaultStore {
    /// By key, so quick enough not to suspend.
    func account(emailIndex: [UInt8]) throws -> AccountRow?
    func account(of vault: VaultID) throws -> AccountRow?
    func token(lookup: [UInt8]) throws -> PresentedToken?
    func credential(_ kind: CredentialKind, of vault: VaultID) throws -> StoredCredential?
    func sessions(of vault: VaultID) async throws -> [StoredCredential]
    func answer(to key: [UInt8], of holder: HolderID) throws -> IdempotencyRecord?
    /// Wraps of `holder`, in the order of their places, after one of them.
    func wraps(of holder: HolderID, after place: FieldPlace?, limit: Int) async throws -> [Wrap]
    /// L2 values of the vault, of every version, in the order of their places, after one of them.
    func l2Values(of vault: VaultID, after place: FieldPlace?, limit: PageLimit) async throws -> Page<StoredValue>
    /// How many places `l2Places` would give.
    func l2Count(of vault: VaultID) async throws -> Int
    /// Where all of them stand.
    func l2Places(of vault: VaultID) async throws -> Set<FieldPlace>
    var roomForSignIns: RoomForSignIns { get }
    /// Deletes all that a closed account holds, in parts, so that nobody else's commit waits for thousands of rows. What it
    /// leaves undone is done by `eraseClosedAccounts`.
    func erase(_ vault: VaultID) async
}
