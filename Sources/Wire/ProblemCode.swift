/// The problem codes of a node. A code never changes its meaning. A newer node may send an unknown one; clients then use the HTTP
/// status.
package enum ProblemCode: String, CaseIterable, Sendable {
    // Malformed requests.
    case malformed
    case invalid
    case incompleteBody = "incomplete-body"
    case tooLarge = "too-large"
    case unsupportedMediaType = "unsupported-media-type"
    case methodNotAllowed = "method-not-allowed"
    case preconditionRequired = "precondition-required"
    case noSuchRoute = "no-such-route"

    // Authentication and authorization.
    case badCredentials = "bad-credentials"
    case secondFactorNeeded = "second-factor-needed"
    case secondFactorWrong = "second-factor-wrong"
    case tooManyAttempts = "too-many-attempts"
    case badToken = "bad-token"
    case sessionExpired = "session-expired"
    case tokenRefused = "token-refused"
    case reauthenticate
    case wrongProof = "wrong-proof"
    case ownerOnly = "owner-only"
    case verbMissing = "verb-missing"
    case usesExhausted = "uses-exhausted"
    case rateLimited = "rate-limited"
    case registrationClosed = "registration-closed"
    case inviteNeeded = "invite-needed"
    case emailTaken = "email-taken"
    case notEnabled = "not-enabled"

    // Resources.
    case noSuchEntry = "no-such-entry"
    case noSuchField = "no-such-field"
    case noSuchVersion = "no-such-version"
    case noSuchAgent = "no-such-agent"
    case noSuchDeposit = "no-such-deposit"
    case noSuchSession = "no-such-session"
    case noSuchPasskey = "no-such-passkey"
    case credentialExists = "credential-exists"
    case entryExists = "entry-exists"
    case idempotencyKeyUsed = "idempotency-key-used"
    case changedSince = "changed-since"
    case needsEnvelopes = "needs-envelopes"
    /// The l2Key or the entry's L2 key is another than the request assumes.
    case l2KeyChanged = "l2-key-changed"
    case l2RekeyRunning = "l2-rekey-running"
    case notATOTPSeed = "not-a-totp-seed"

    // The state of the node.
    case quotaExceeded = "quota-exceeded"
    case tooManyOperations = "too-many-operations"
    case busy
    case readOnly = "read-only"
    case vaultDamaged = "vault-damaged"
    case stopping
    case `internal`
    /// Any other error; the HTTP status describes it.
    case http
}
