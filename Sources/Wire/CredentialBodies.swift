// Binary values are base64url without padding; times are Unix seconds.

// Bodies that change a password, a recovery kit or a second factor.

/// The secret of the password or kit, required in every request that changes a credential.
package struct ProofBody: Codable, Sendable {
    /// `password` or `recovery`.
    package var kind: String
    /// The authKey of the password or of the kit.
    package var secret: String
    /// A one-time code or a recovery code, if the second factor is enabled.
    package var code: String?

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

/// `POST /api/v1/accounts/recover`: sets a new password and a new kit, and ends all sessions.
package struct RecoverBody: Codable, Sendable {
    package var email: String
    package var proof: ProofBody
    /// The authKey of the new password.
    package var authKey: String
    package var l2: L2Body
    /// The new kit.
    package var recovery: RecoveryBody
    /// Credentials to keep. Must be empty.
    package var keep: [String]
    /// Agents that stay active; the others are paused.
    package var keepAgents: [String]
    package var device: String?

    package init(
        email: String, proof: ProofBody, authKey: String, l2: L2Body, recovery: RecoveryBody, keepAgents: [String],
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

/// `PUT /api/v1/account/password`: sets a new password and a new kit, and ends all sessions.
package struct PasswordBody: Codable, Sendable {
    package var proof: ProofBody
    package var authKey: String
    package var l2: L2Body
    package var recovery: RecoveryBody
    /// Credentials to keep. Must be empty.
    package var keep: [String]
    /// Agents that stay active; the others are paused. If nil, all stay active.
    package var keepAgents: [String]?

    package init(
        proof: ProofBody, authKey: String, l2: L2Body, recovery: RecoveryBody, keepAgents: [String]? = nil
    ) {
        self.proof = proof
        self.authKey = authKey
        self.l2 = l2
        self.recovery = recovery
        keep = []
        self.keepAgents = keepAgents
    }
}

/// `POST /api/v1/account/sign-out-everywhere`: ends all sessions, keeps the password and sets a new kit.
package struct SignOutBody: Codable, Sendable {
    package var proof: ProofBody
    package var recovery: RecoveryBody
    /// Credentials to keep besides the password. Must be empty.
    package var keep: [String]
    /// Agents that stay active; the others are paused.
    package var keepAgents: [String]

    package init(proof: ProofBody, recovery: RecoveryBody, keepAgents: [String]) {
        self.proof = proof
        self.recovery = recovery
        keep = []
        self.keepAgents = keepAgents
    }
}

/// The response of recovery, password change and sign-out everywhere: the new session, and the state of kit and agents.
package struct OwnerChangeBody: Codable, Sendable {
    package var session: SessionBody
    /// Always `replaced`: only the kit of the request is valid.
    package var kit: String
    package var endedSessions: Int
    package var activeAgents: [String]
    package var pausedAgents: [String]

    package init(session: SessionBody, endedSessions: Int, activeAgents: [String], pausedAgents: [String]) {
        self.session = session
        kit = "replaced"
        self.endedSessions = endedSessions
        self.activeAgents = activeAgents
        self.pausedAgents = pausedAgents
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
