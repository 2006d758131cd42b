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

/// `POST /api/v1/accounts/recover`: a login with the kit. What follows is a change of password.
package struct RecoverBody: Codable, Sendable {
    package var email: String
    package var key: String
    package var totp: String?
    package var device: String?

    package init(email: String, key: String, totp: String? = nil, device: String? = nil) {
        self.email = email
        self.key = key
        self.totp = totp
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

    package init(email: String, vault: String, createdAt: Int64, hasRecoveryKit: Bool, hasSecondFactor: Bool) {
        self.email = email
        self.vault = vault
        self.createdAt = createdAt
        self.hasRecoveryKit = hasRecoveryKit
        self.hasSecondFactor = hasSecondFactor
    }
}

/// `PUT /api/v1/account/password`. Without `recovery` the account has no kit afterwards.
package struct PasswordBody: Codable, Sendable {
    package var authKey: String
    package var l2: L2Body
    package var recovery: RecoveryBody?

    package init(authKey: String, l2: L2Body, recovery: RecoveryBody?) {
        self.authKey = authKey
        self.l2 = l2
        self.recovery = recovery
    }
}

/// `POST /api/v1/account/sign-out-everywhere`. Without `recovery` the account has no kit afterwards.
package struct SignOutBody: Codable, Sendable {
    package var authKey: String
    package var recovery: RecoveryBody?

    package init(authKey: String, recovery: RecoveryBody?) {
        self.authKey = authKey
        self.recovery = recovery
    }
}

/// `POST /api/v1/account/totp`: without a code it begins, with one it confirms.
package struct SecondFactorRequestBody: Codable, Sendable {
    package var code: String?

    package init(code: String? = nil) {
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
    package var l2: L2Body
    /// The new key under the kit's twin; without it an existing kit is removed.
    package var recovery: L2Body?
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

    package init(l2: L2Body, recovery: L2Body?, envelopes: [Envelope]) {
        self.l2 = l2
        self.recovery = recovery
        self.envelopes = envelopes
    }
}

/// `GET /api/v1/account/l2`: every L2 value, of every version.
package struct L2ValuesBody: Codable, Sendable {
    package var envelopes: [L2RekeyBody.Envelope]

    package init(envelopes: [L2RekeyBody.Envelope]) {
        self.envelopes = envelopes
    }
}
