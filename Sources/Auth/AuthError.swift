/// Errors of authentication and of account operations.
package enum AuthError: Error, Equatable, Sendable {
    /// Wrong password, wrong kit, or no such account; the response does not reveal which.
    case badCredentials
    case secondFactorNeeded
    case secondFactorWrong
    /// Carries the seconds until the next attempt is allowed.
    case tooManyAttempts(retryAfter: Int)
    /// The secret in the request is not the password's, the kit's or a passkey's.
    case wrongProof
    case noSuchSession
    case noSuchPasskey
    /// The client chose an id, or a secret, that a credential has already.
    case credentialExists
    /// Unknown token, or a session that has ended.
    case badToken
    case sessionExpired
    /// An agent's token outside its policy. Carries the reason.
    case tokenRefused(String)
    case registrationClosed
    case inviteNeeded
    case emailTaken
    /// Carries the member of the request and what must hold.
    case invalid(String, String)
    case notEnabled
    /// A code to confirm a second factor that was not begun.
    case notBegun
}
