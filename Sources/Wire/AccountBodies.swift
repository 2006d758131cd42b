// Binary values are base64url without padding, times Unix seconds.

package struct PreloginRequestBody: Codable, Sendable {
    package var email: String

    package init(email: String) {
        self.email = email
    }
}

package struct PreloginBody: Codable, Equatable, Sendable {
    package var origin: String
    package var kdf: KDFBody
    package var salt: String

    package init(origin: String, kdf: KDFBody, salt: String) {
        self.origin = origin
        self.kdf = kdf
        self.salt = salt
    }
}

package struct KDFBody: Codable, Equatable, Sendable {
    /// Always `argon2id`.
    package var type: String
    package var memoryKiB: Int
    package var iterations: Int
    package var parallelism: Int

    package init(type: String, memoryKiB: Int, iterations: Int, parallelism: Int) {
        self.type = type
        self.memoryKiB = memoryKiB
        self.iterations = iterations
        self.parallelism = parallelism
    }
}

/// The client's box of its l2Key.
package struct L2Body: Codable, Equatable, Sendable {
    package var wrappedKey: String

    package init(wrappedKey: String) {
        self.wrappedKey = wrappedKey
    }
}

/// What a recovery kit gives the node.
package struct RecoveryBody: Codable, Sendable {
    package var key: String
    package var l2: L2Body

    package init(key: String, l2: L2Body) {
        self.key = key
        self.l2 = l2
    }
}

package struct RegistrationBody: Codable, Sendable {
    package var email: String
    package var vault: String
    package var kdf: KDFBody
    package var salt: String
    package var authKey: String
    package var l2: L2Body
    package var recovery: RecoveryBody?
    package var invite: String?

    package init(
        email: String, vault: String, kdf: KDFBody, salt: String, authKey: String, l2: L2Body, recovery: RecoveryBody?,
        invite: String?
    ) {
        self.email = email
        self.vault = vault
        self.kdf = kdf
        self.salt = salt
        self.authKey = authKey
        self.l2 = l2
        self.recovery = recovery
        self.invite = invite
    }
}

package struct LoginBody: Codable, Sendable {
    package var email: String
    package var authKey: String
    /// A code or a recovery code, where the second factor is on.
    package var totp: String?
    /// What the last login on this device answered.
    package var device: String?

    package init(email: String, authKey: String, totp: String? = nil, device: String? = nil) {
        self.email = email
        self.authKey = authKey
        self.totp = totp
        self.device = device
    }
}

/// The secret of a lasting credential, in the very request that changes one.
package struct ProofBody: Codable, Sendable {
    /// `password` or `recovery`.
    package var kind: String
    /// What a login would send: the authKey of the password or of the kit.
    package var secret: String
    /// A code or a recovery code, where the second factor is on.
    package var code: String?

    package init(kind: String, secret: String, code: String? = nil) {
        self.kind = kind
        self.secret = secret
        self.code = code
    }
}

/// `POST /api/v1/accounts/recover/begin`: whether the kit is good, before a new password is made.
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

/// Its answer: the l2Key boxed under the kit's twin.
package struct RecoveryBegunBody: Codable, Sendable {
    package var vault: String
    package var l2: L2Body

    package init(vault: String, l2: L2Body) {
        self.vault = vault
        self.l2 = l2
    }
}

/// `POST /api/v1/accounts/recover`: a new password and a new kit in place of everything that opened the vault before.
package struct RecoverBody: Codable, Sendable {
    package var email: String
    package var proof: ProofBody
    /// Of the new password.
    package var authKey: String
    package var l2: L2Body
    /// The new kit.
    package var recovery: RecoveryBody
    /// Credentials that live on: none can.
    package var keep: [String]
    /// Agents that go on; the others are paused.
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

/// A new session. `l2` is boxed under the twin of whatever was presented: the password's or the kit's.
package struct SessionBody: Codable, Sendable {
    package var token: String
    package var id: String
    package var expiresAt: Int64
    package var vault: String
    package var l2: L2Body
    package var device: String

    package init(token: String, id: String, expiresAt: Int64, vault: String, l2: L2Body, device: String) {
        self.token = token
        self.id = id
        self.expiresAt = expiresAt
        self.vault = vault
        self.l2 = l2
        self.device = device
    }
}

package struct SessionListBody: Codable, Sendable {
    package var sessions: [Session]

    package struct Session: Codable, Sendable {
        package var id: String
        package var createdAt: Int64
        package var lastUsedAt: Int64
        package var expiresAt: Int64
        package var isCurrent: Bool

        package init(id: String, createdAt: Int64, lastUsedAt: Int64, expiresAt: Int64, isCurrent: Bool) {
            self.id = id
            self.createdAt = createdAt
            self.lastUsedAt = lastUsedAt
            self.expiresAt = expiresAt
            self.isCurrent = isCurrent
        }
    }

    package init(sessions: [Session]) {
        self.sessions = sessions
    }
}

/// `GET /api/v1/account`
package struct AccountBody: Codable, Sendable {
    package var email: String
    package var vault: String
    package var createdAt: Int64
    package var hasRecoveryKit: Bool
    package var hasSecondFactor: Bool
    /// What the vault holds and what it may hold, by the names of the quotas.
    package var usage: [String: Int]
    package var quotas: [String: Int]

    package init(
        email: String, vault: String, createdAt: Int64, hasRecoveryKit: Bool, hasSecondFactor: Bool,
        usage: [String: Int], quotas: [String: Int]
    ) {
        self.email = email
        self.vault = vault
        self.createdAt = createdAt
        self.hasRecoveryKit = hasRecoveryKit
        self.hasSecondFactor = hasSecondFactor
        self.usage = usage
        self.quotas = quotas
    }
}

/// `PUT /api/v1/account/password`: a new password and a new kit; every session ends.
package struct PasswordBody: Codable, Sendable {
    package var proof: ProofBody
    package var authKey: String
    package var l2: L2Body
    package var recovery: RecoveryBody
    /// Credentials that live on: none can.
    package var keep: [String]
    /// Agents that go on, the others are paused; without it all go on.
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

/// `POST /api/v1/account/sign-out-everywhere`: every session ends, the password stays, the kit is a new one.
package struct SignOutBody: Codable, Sendable {
    package var proof: ProofBody
    package var recovery: RecoveryBody
    /// Credentials that live on besides the password: none can.
    package var keep: [String]
    /// Agents that go on; the others are paused.
    package var keepAgents: [String]

    package init(proof: ProofBody, recovery: RecoveryBody, keepAgents: [String]) {
        self.proof = proof
        self.recovery = recovery
        keep = []
        self.keepAgents = keepAgents
    }
}

/// The answer to each of the three: a session, and what became of everything else that could open the vault.
package struct OwnerChangeBody: Codable, Sendable {
    package var session: SessionBody
    /// `replaced`: only the kit that came with the request works.
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

/// `PUT /api/v1/account/recovery`: a new kit; an old one ends.
package struct KitBody: Codable, Sendable {
    package var proof: ProofBody
    package var recovery: RecoveryBody

    package init(proof: ProofBody, recovery: RecoveryBody) {
        self.proof = proof
        self.recovery = recovery
    }
}

/// `DELETE /api/v1/account/recovery` and `DELETE /api/v1/account/totp`.
package struct ProvenBody: Codable, Sendable {
    package var proof: ProofBody

    package init(proof: ProofBody) {
        self.proof = proof
    }
}

/// `POST /api/v1/account/totp`: without a code it begins; with one, and the proof, it confirms.
package struct SecondFactorRequestBody: Codable, Sendable {
    package var proof: ProofBody?
    package var code: String?

    package init(proof: ProofBody? = nil, code: String? = nil) {
        self.proof = proof
        self.code = code
    }
}

package struct SecondFactorBody: Codable, Sendable {
    /// Base32, and the same as `otpauth://` URI: the answer to the beginning.
    package var secret: String?
    package var uri: String?
    /// The answer to the confirmation. Each is good once.
    package var recoveryCodes: [String]?

    package init(secret: String? = nil, uri: String? = nil, recoveryCodes: [String]? = nil) {
        self.secret = secret
        self.uri = uri
        self.recoveryCodes = recoveryCodes
    }
}

/// `PUT /api/v1/account/l2`: every L2 value, of every version, under a new l2Key.
package struct L2RekeyBody: Codable, Sendable {
    package var proof: ProofBody
    package var l2: L2Body
    /// A new kit; needed where there is one, since the old one opens the old key.
    package var recovery: RecoveryBody?
    package var envelopes: [Envelope]

    package struct Envelope: Codable, Sendable {
        package var entry: String
        package var field: String
        package var version: Int
        package var envelope: String

        package init(entry: String, field: String, version: Int, envelope: String) {
            self.entry = entry
            self.field = field
            self.version = version
            self.envelope = envelope
        }
    }

    package init(proof: ProofBody, l2: L2Body, recovery: RecoveryBody?, envelopes: [Envelope]) {
        self.proof = proof
        self.l2 = l2
        self.recovery = recovery
        self.envelopes = envelopes
    }
}

/// `GET /api/v1/account/l2`: every L2 value, of every version, in pages.
package struct L2ValuesBody: Codable, Sendable {
    package var envelopes: [L2RekeyBody.Envelope]
    package var next: String?

    package init(envelopes: [L2RekeyBody.Envelope], next: String?) {
        self.envelopes = envelopes
        self.next = next
    }
}
