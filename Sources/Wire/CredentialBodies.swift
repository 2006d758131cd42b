// Binary values are base64url without padding; times are Unix seconds.

// Bodies that change a password, a recovery kit or a second factor.

/// The secret of a lasting credential, required in every request that changes one. For a passkey also the assertion of the same
/// ceremony.
package struct ProofBody: Codable, Sendable {
    /// `password`, `recovery` or `passkey`.
    package var kind: String
    /// The authKey of the password, of the kit or of the passkey.
    package var secret: String
    /// A one-time code or a recovery code, if the second factor is enabled. A passkey stands for both factors.
    package var code: String?
    package var clientDataJSON: String?
    package var authenticatorData: String?
    package var signature: String?

    package init(kind: String, secret: String, code: String? = nil) {
        self.kind = kind
        self.secret = secret
        self.code = code
    }
}

/// `POST /api/v1/accounts/recover/begin`: verifies the kit before a new password is chosen.
package struct RecoveryBeginBody: Codable, Sendable {
    package var email: String
    package var proof: ProofBody
    package var device: String?

    package init(email: String, proof: ProofBody, device: String? = nil) {
        self.email = email
        self.proof = proof
        self.device = device
    }
}

/// The response of `recover/begin`: the l2Key wrapped under the kit's wrap key.
package struct RecoveryBegunBody: Codable, Sendable {
    package var vault: String
    package var l2: L2Body

    package init(vault: String, l2: L2Body) {
        self.vault = vault
        self.l2 = l2
    }
}

/// `POST /api/v1/accounts/recover`: sets a new password, and ends all sessions, the kit and all passkeys.
package struct RecoverBody: Codable, Sendable {
    package var email: String
    package var proof: ProofBody
    /// The authKey of the new password.
    package var authKey: String
    package var l2: L2Body
    /// A new kit. If nil, there is none afterwards.
    package var recovery: RecoveryBody?
    /// Credentials to keep. Must be empty.
    package var keep: [String]
    /// Agents that stay active; the others are paused.
    package var keepAgents: [String]
    package var device: String?

    package init(
        email: String, proof: ProofBody, authKey: String, l2: L2Body, recovery: RecoveryBody?, keepAgents: [String],
        device: String? = nil
    ) {
        self.email = email
        self.proof = proof
        self.authKey = authKey
        self.l2 = l2
        self.recovery = recovery
        keep = []
        self.keepAgents = keepAgents
        self.device = device
    }
}

/// `PUT /api/v1/account/password`: sets a new password, and ends all sessions and every kit and passkey that is not named.
package struct PasswordBody: Codable, Sendable {
    package var proof: ProofBody
    package var authKey: String
    package var l2: L2Body
    /// A new kit. If nil, the present one stays if `keep` names it.
    package var recovery: RecoveryBody?
    /// Ids of the kit and of passkeys that stay.
    package var keep: [String]
    /// Agents that stay active; the others are paused. If nil, all stay active.
    package var keepAgents: [String]?

    package init(
        proof: ProofBody, authKey: String, l2: L2Body, recovery: RecoveryBody?, keep: [String],
        keepAgents: [String]? = nil
    ) {
        self.proof = proof
        self.authKey = authKey
        self.l2 = l2
        self.recovery = recovery
        self.keep = keep
        self.keepAgents = keepAgents
    }
}

/// `POST /api/v1/account/sign-out-everywhere`: ends all sessions and every kit and passkey that is not named; the password stays.
package struct SignOutBody: Codable, Sendable {
    package var proof: ProofBody
    /// A new kit. If nil, the present one stays if `keep` names it.
    package var recovery: RecoveryBody?
    /// Ids of the kit and of passkeys that stay.
    package var keep: [String]
    /// Agents that stay active; the others are paused.
    package var keepAgents: [String]

    package init(proof: ProofBody, recovery: RecoveryBody?, keep: [String], keepAgents: [String]) {
        self.proof = proof
        self.recovery = recovery
        self.keep = keep
        self.keepAgents = keepAgents
    }
}

/// The response of recovery, password change and sign-out everywhere: the new session, and what was kept and what ended.
package struct OwnerChangeBody: Codable, Sendable {
    package var session: SessionBody
    /// `replaced`: only the kit of the request is valid. `kept`: the present one. `none`: there is none.
    package var kit: String
    /// Ids of the kit and of passkeys.
    package var kept: [String]
    package var ended: [String]
    package var endedSessions: Int
    package var activeAgents: [String]
    package var pausedAgents: [String]
    /// Whether keys of the former credentials are not erased from the node's file yet.
    package var owed: Bool

    package init(
        session: SessionBody, kit: String, kept: [String], ended: [String], endedSessions: Int,
        activeAgents: [String], pausedAgents: [String], owed: Bool
    ) {
        self.session = session
        self.kit = kit
        self.kept = kept
        self.ended = ended
        self.endedSessions = endedSessions
        self.activeAgents = activeAgents
        self.pausedAgents = pausedAgents
        self.owed = owed
    }
}

/// `PUT /api/v1/account/recovery`: sets a new kit; an old one becomes invalid.
package struct KitBody: Codable, Sendable {
    package var proof: ProofBody
    package var recovery: RecoveryBody

    package init(proof: ProofBody, recovery: RecoveryBody) {
        self.proof = proof
        self.recovery = recovery
    }
}

/// `DELETE /api/v1/account/recovery` and `DELETE /api/v1/account/totp`: only a proof.
package struct ProvenBody: Codable, Sendable {
    package var proof: ProofBody

    package init(proof: ProofBody) {
        self.proof = proof
    }
}

/// `POST /api/v1/account/totp`: begins the set-up without a code, and confirms it with a code and a proof.
package struct SecondFactorRequestBody: Codable, Sendable {
    package var proof: ProofBody?
    package var code: String?

    package init(proof: ProofBody? = nil, code: String? = nil) {
        self.proof = proof
        self.code = code
    }
}

/// The response of `POST /api/v1/account/totp`.
package struct SecondFactorBody: Codable, Sendable {
    /// The seed in base32, when the set-up begins.
    package var secret: String?
    /// The seed as an `otpauth://` URI, when the set-up begins.
    package var uri: String?
    /// The single-use recovery codes, when the set-up is confirmed.
    package var recoveryCodes: [String]?

    package init(secret: String? = nil, uri: String? = nil, recoveryCodes: [String]? = nil) {
        self.secret = secret
        self.uri = uri
        self.recoveryCodes = recoveryCodes
    }
}
