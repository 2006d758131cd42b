// Binary values are base64url without padding; times are Unix seconds.

/// The response of `POST /api/v1/passkeys/challenge`.
package struct PasskeyChallengeBody: Codable, Sendable {
    /// Valid for five minutes.
    package var challenge: String
    /// The relying party: the node's full name.
    package var rpId: String

    package init(challenge: String, rpId: String) {
        self.challenge = challenge
        self.rpId = rpId
    }
}

/// A sign-in with a passkey: the key that follows from its PRF, and the assertion of the same ceremony.
package struct PasskeyLoginBody: Codable, Sendable {
    package var authKey: String
    /// The authenticator's id of the credential, to be compared with the enrolled one.
    package var credentialId: String?
    package var clientDataJSON: String
    package var authenticatorData: String
    package var signature: String

    package init(
        authKey: String, credentialId: String? = nil, clientDataJSON: String, authenticatorData: String,
        signature: String
    ) {
        self.authKey = authKey
        self.credentialId = credentialId
        self.clientDataJSON = clientDataJSON
        self.authenticatorData = authenticatorData
        self.signature = signature
    }
}

/// `POST /api/v1/account/passkeys`
package struct PasskeyEnrolmentBody: Codable, Sendable {
    package var proof: ProofBody
    /// 16 random bytes that the client chooses.
    package var id: String
    package var authKey: String
    /// Nil for a passkey that opens no L2 values.
    package var l2: L2Body?
    /// DER of a SubjectPublicKeyInfo, as the browser's `getPublicKey()` gives it.
    package var publicKey: String
    /// `ES256` or `RS256`.
    package var algorithm: String
    package var details: Details

    package struct Details: Codable, Sendable {
        package var name: String
        package var credentialId: String
        package var transports: [String]

        package init(name: String, credentialId: String, transports: [String]) {
            self.name = name
            self.credentialId = credentialId
            self.transports = transports
        }
    }

    package init(
        proof: ProofBody, id: String, authKey: String, l2: L2Body?, publicKey: String, algorithm: String,
        details: Details
    ) {
        self.proof = proof
        self.id = id
        self.authKey = authKey
        self.l2 = l2
        self.publicKey = publicKey
        self.algorithm = algorithm
        self.details = details
    }
}

/// `PATCH /api/v1/account/passkeys/{id}`
package struct PasskeyNameBody: Codable, Sendable {
    package var name: String

    package init(name: String) {
        self.name = name
    }
}

/// `GET /api/v1/account/credentials`: the kit and the passkeys, oldest first.
package struct CredentialListBody: Codable, Sendable {
    package var credentials: [CredentialBody]

    package init(credentials: [CredentialBody]) {
        self.credentials = credentials
    }
}

package struct CredentialBody: Codable, Equatable, Sendable {
    package var id: String
    /// `recovery` or `passkey`.
    package var kind: String
    package var createdAt: Int64
    /// Nil when it was not used yet.
    package var lastUsedAt: Int64?
    /// Whether it opens L2 values.
    package var opensL2: Bool
    /// Of a passkey.
    package var details: Details?

    package struct Details: Codable, Equatable, Sendable {
        package var name: String
        package var credentialId: String
        package var transports: [String]
        package var made: Int64

        package init(name: String, credentialId: String, transports: [String], made: Int64) {
            self.name = name
            self.credentialId = credentialId
            self.transports = transports
            self.made = made
        }
    }

    package init(
        id: String, kind: String, createdAt: Int64, lastUsedAt: Int64?, opensL2: Bool, details: Details?
    ) {
        self.id = id
        self.kind = kind
        self.createdAt = createdAt
        self.lastUsedAt = lastUsedAt
        self.opensL2 = opensL2
        self.details = details
    }
}
