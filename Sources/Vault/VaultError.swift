package import VaultFormat

/// Everything the vault refuses to do. Each case is a decision, not an accident.
package enum VaultError: Error, Equatable, Sendable {
    case noSuchEntry
    case noSuchField
    case noSuchVersion
    case noSuchAgent
    case noSuchDeposit
    case entryExists
    /// There is a record for the `Idempotency-Key` already.
    case idempotencyKeyUsed
    /// A stale `If-Match`. Carries the current version.
    case changedSince(version: Int)
    /// The member of the request, and what to do.
    case invalid(String, String)
    /// These L2 fields differ from what is to be restored; only the client can re-encrypt them.
    case needsEnvelopes([FieldID])
    case ownerOnly
    /// The session is older than ten minutes; the password is needed again.
    case reauthenticate
    /// The session or the agent ended while its request waited for its turn.
    case principalGone
    /// The token lacks this verb. About the token alone, so that it tells nothing of entries.
    case verbMissing(AgentPolicy.Verb)
    case usesExhausted
    /// The agent's uses of the minute are used up. Seconds until there is one again.
    case rateLimited(retryAfter: Int)
    /// Nothing more fits; the number is the quota's.
    case quotaExceeded(Quota, Int)
    /// The vault's operations of the day are used up. Seconds until there is one again.
    case tooManyOperations(retryAfter: Int)
    /// Too much of the principal's work waits already.
    case busy
    /// A value that should be a TOTP seed is none.
    case notATOTPSeed
    /// The file says something that no node wrote there.
    case damaged(String)
    /// Nothing is written, and nothing secret leaves, until an operator has looked.
    case readOnly(String)
}
