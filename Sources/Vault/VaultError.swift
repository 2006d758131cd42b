package import VaultFormat

/// The vault's errors.
package enum VaultError: Error, Equatable, Sendable {
    case noSuchEntry
    case noSuchField
    case noSuchVersion
    case noSuchAgent
    case noSuchDeposit
    case entryExists
    /// The `Idempotency-Key` has a record already.
    case idempotencyKeyUsed
    /// The `If-Match` version is stale. Carries the current version.
    case changedSince(version: Int)
    /// Carries the member of the request and what must hold.
    case invalid(String, String)
    /// These L2 fields differ from the version to restore, and only the client can re-encrypt them.
    case needsEnvelopes([FieldID])
    /// The l2Key's generation or the number of the entry's L2 key is another than the request assumes, or a rekey has not reached the
    /// entry.
    case l2KeyChanged
    /// An L2 rekey runs, and another cannot begin.
    case l2RekeyRunning
    case ownerOnly
    /// The session is older than ten minutes, and the action requires a fresh one.
    case reauthenticate
    /// The session or the agent ended while its request waited.
    case principalGone
    /// The token lacks this verb. Depends on the token only, so that it reveals nothing about entries.
    case verbMissing(AgentPolicy.Verb)
    case usesExhausted
    /// The agent's rate limit is reached. Carries the seconds until the next use is allowed.
    case rateLimited(retryAfter: Int)
    /// The quota is reached. Carries its value.
    case quotaExceeded(Quota, Int)
    /// The vault's daily operations are used up. Carries the seconds until the next one is allowed.
    case tooManyOperations(retryAfter: Int)
    /// Too many of the principal's requests wait already.
    case busy
    /// The value is not a TOTP seed.
    case notATOTPSeed
    /// Stored data is invalid or fails authentication: corruption or tampering.
    case damaged(String)
    /// Records of the vault are not those that the node committed: another program changed them, put them back or removed them.
    case vaultDamaged
    /// The database has another format than this version's.
    case otherFormat
    /// The node is read-only or closed. Carries the fault.
    case readOnly(String)
}
