// Binary values are base64url without padding; times are Unix seconds.

/// `POST /api/v1/accounts/prelogin`
package struct PreloginRequestBody: Codable, Sendable {
    package var email: String

    package init(email: String) {
        self.email = email
    }
}

/// The key derivation parameters of an account.
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

/// Argon2id parameters.
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

/// The node's part of a recovery kit: its id, which the client chooses and whose start is printed on it, its authKey, and the
/// l2Key wrapped for it.
package struct RecoveryBody: Codable, Sendable {
    package var id: String
    package var key: String
    package var l2: L2Body

    package init(id: String, key: String, l2: L2Body) {
        self.id = id
        self.key = key
        self.l2 = l2
    }
}

/// `POST /api/v1/accounts`
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

/// `POST /api/v1/sessions`: an address and a password's key, or a passkey.
package struct LoginBody: Codable, Sendable {
    package var email: String?
    package var authKey: String?
    /// A one-time code or a recovery code, if the second factor is enabled.
    package var totp: String?
    package var passkey: PasskeyLoginBody?
    /// The device token of the last login on this device.
    package var device: String?

    package init(email: String, authKey: String, totp: String? = nil, device: String? = nil) {
        self.email = email
        self.authKey = authKey
        self.totp = totp
        self.device = device
    }

    package init(passkey: PasskeyLoginBody, device: String? = nil) {
        self.passkey = passkey
        self.device = device
    }
}

/// A new session. `l2` is the l2Key wrapped under the wrap key of the password, kit or passkey that was presented; nil for a passkey
/// that opens no L2 values.
package struct SessionBody: Codable, Sendable {
    package var token: String
    package var id: String
    package var expiresAt: Int64
    package var vault: String
    package var l2: L2Body?
    package var device: String

    package init(token: String, id: String, expiresAt: Int64, vault: String, l2: L2Body?, device: String) {
        self.token = token
        self.id = id
        self.expiresAt = expiresAt
        self.vault = vault
        self.l2 = l2
        self.device = device
    }
}

/// `GET /api/v1/sessions`
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
    /// The usage of the vault by quota name.
    package var usage: [String: Int]
    /// The limits by quota name.
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
