/// Why somebody is not let in, or not let do this now.
package enum AuthError: Error, Equatable, Sendable {
    /// Wrong password, wrong kit, or no such account: nobody learns which.
    case badCredentials
    case secondFactorNeeded
    case secondFactorWrong
    /// Seconds until the next try is worth it.
    case tooManyAttempts(retryAfter: Int)
    /// The secret in the request is not the password's or the kit's.
    case wrongProof
    case noSuchSession
    /// No such token, or a session that ended.
    case badToken
    case sessionExpired
    /// An agent's token outside its policy: why.
    case tokenRefused(String)
    case registrationClosed
    case inviteNeeded
    case emailTaken
    /// The member of the request, and what to do.
    case invalid(String, String)
    case notEnabled
}
