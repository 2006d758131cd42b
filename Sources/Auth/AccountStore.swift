package import Vault

/// An account: one owner, one vault.
package struct AccountRow: Sendable {
    package let vault: VaultID
    /// HMAC of the address. 32 bytes.
    package let emailIndex: [UInt8]
    /// Boxed in the node tier.
    package let email: [UInt8]
    package let kdf: KDF
    /// 16 bytes.
    package let salt: [UInt8]
    /// The owner. Changes with the password.
    package let owner: HolderID
    /// Boxed in the node tier.
    package let auditKey: [UInt8]
    /// Unix seconds.
    package let created: Int64

    package init(
        vault: VaultID, emailIndex: [UInt8], email: [UInt8], kdf: KDF, salt: [UInt8], owner: HolderID,
        auditKey: [UInt8], created: Int64
    ) {
        self.vault = vault
        self.emailIndex = emailIndex
        self.email = email
        self.kdf = kdf
        self.salt = salt
        self.owner = owner
        self.auditKey = auditKey
        self.created = created
    }
}

/// Parameters of Argon2id (RFC 9106), which runs on the client alone.
package struct KDF: Equatable, Sendable {
    package var memoryKiB: Int
    package var iterations: Int
    package var parallelism: Int

    package init(memoryKiB: Int, iterations: Int, parallelism: Int) {
        self.memoryKiB = memoryKiB
        self.iterations = iterations
        self.parallelism = parallelism
    }

    /// What every account of this version registers with, so that prelogin's answer tells nothing.
    package static let standard = KDF(memoryKiB: 32_768, iterations: 6, parallelism: 4)
}

/// A token's row, and the agent's if it is an agent's.
package struct PresentedToken: Sendable {
    package let credential: StoredCredential
    package let agent: StoredAgent?

    package init(credential: StoredCredential, agent: StoredAgent?) {
        self.credential = credential
        self.agent = agent
    }
}

/// How full a bucket of `AbuseLimits` is.
package struct AbuseRow: Equatable, Sendable {
    /// 16 bytes that tell nothing without the node's key.
    package let key: [UInt8]
    /// Thousandths of a failure, at a time in Unix seconds.
    package let level: Int64
    package let at: Int64
    /// When it is empty again.
    package let forgiven: Int64

    package init(key: [UInt8], level: Int64, at: Int64, forgiven: Int64) {
        self.key = key
        self.level = level
        self.at = at
        self.forgiven = forgiven
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
    func answer(to key: [UInt8], of holder: HolderID) throws -> IdempotentAnswer?
    /// Wraps of `holder`, in the order of their places, after one of them.
    func wraps(of holder: HolderID, after place: FieldPlace?, limit: Int) async throws -> [Wrap]
    /// L2 values of the vault, of every version, in the order of their places, after one of them.
    func l2Values(of vault: VaultID, after place: FieldPlace?, limit: PageLimit) async throws -> Page<StoredValue>
    /// Where all of them stand.
    /// How many places `l2Places` would give.
    func l2Count(of vault: VaultID) async throws -> Int
    func l2Places(of vault: VaultID) async throws -> Set<FieldPlace>
    func commit(_ steps: [AccountStep], _ lines: [SealedAuditLine]) async throws
    var roomForSignIns: RoomForSignIns { get }
    /// Deletes all that a closed account holds, in parts, so that nobody else's commit waits for thousands of rows. What it
    /// leaves undone is done by `eraseClosedAccounts`.
    func erase(_ vault: VaultID) async
}

package enum AccountStep: Sendable {
    case vault(Step)
    /// Throws `emailTaken`, or `invalid` for a vault id that was used before.
    case insertAccount(AccountRow)
    /// Makes `to` the owner and deletes what the old holder could be opened with; its wraps are for `clear`. Throws
    /// `callerGone` unless `from` is the owner.
    case switchOwner(VaultID, from: HolderID, to: HolderID)
    case deleteCredential(CredentialID)
    case deleteCredentials(CredentialKind, of: VaultID)
    case deleteSessions(of: VaultID, except: CredentialID)
    case deleteSessionsExpired(before: Int64, idleSince: Int64)
    case touch(CredentialID, at: Int64)
    /// Throws `inviteNeeded` when it was used before.
    case spendInvite([UInt8])
    case putAbuse(AbuseRow)
    /// Nobody signs in any more, the e-mail address is free, and what the audit log says of it is unreadable. Its rows are for
    /// `erase`.
    case closeAccount(VaultID)
}
