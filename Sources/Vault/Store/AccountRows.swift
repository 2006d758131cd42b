package import VaultFormat

/// An account's row: one owner and one vault.
package struct AccountRow: Sendable {
    package let vault: VaultID
    /// HMAC of the address. 32 bytes.
    package let emailIndex: [UInt8]
    /// Encrypted in the node tier.
    package let email: [UInt8]
    package let kdf: KDF
    /// 16 bytes.
    package let salt: [UInt8]
    /// The owner's current key holder. Replaced when the password changes.
    package let owner: HolderID
    /// Encrypted in the node tier.
    package let auditKey: [UInt8]
    package let l2: L2State
    /// The items that the owner has. The store updates it with each item.
    package let items: Set<OwnerItem>
    /// Unix seconds.
    package let created: Int64

    package init(
        vault: VaultID, emailIndex: [UInt8], email: [UInt8], kdf: KDF, salt: [UInt8], owner: HolderID,
        auditKey: [UInt8], l2: L2State, items: Set<OwnerItem> = [], created: Int64
    ) {
        self.vault = vault
        self.emailIndex = emailIndex
        self.email = email
        self.kdf = kdf
        self.salt = salt
        self.owner = owner
        self.auditKey = auditKey
        self.l2 = l2
        self.items = items
        self.created = created
    }
}

/// Parameters of Argon2id (RFC 9106), which runs on the client only.
package struct KDF: Equatable, Sendable {
    package var memoryKiB: Int
    package var iterations: Int
    package var parallelism: Int

    package init(memoryKiB: Int, iterations: Int, parallelism: Int) {
        self.memoryKiB = memoryKiB
        self.iterations = iterations
        self.parallelism = parallelism
    }

    /// The parameters of every account of this version, so that prelogin does not reveal whether an account exists.
    package static let standard = KDF(memoryKiB: 32_768, iterations: 6, parallelism: 4)
}

/// The stored level of an `AbuseLimits` bucket.
package struct AbuseRow: Equatable, Sendable {
    /// 16 bytes that reveal nothing without the node's key.
    package let key: [UInt8]
    /// Level in thousandths of a failure, at the time `at` in Unix seconds.
    package let level: Int64
    package let at: Int64
    /// The time at which the bucket is empty. Stored in the column `forgiven`.
    package let expires: Int64

    package init(key: [UInt8], level: Int64, at: Int64, expires: Int64) {
        self.key = key
        self.level = level
        self.at = at
        self.expires = expires
    }
}
