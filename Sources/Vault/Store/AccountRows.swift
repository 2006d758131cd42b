package import VaultFormat

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
