// Binary values are base64url without padding; times are Unix seconds.

/// The l2Key, wrapped by the client.
package struct L2Body: Codable, Equatable, Sendable {
    package var wrappedKey: String

    package init(wrappedKey: String) {
        self.wrappedKey = wrappedKey
    }
}

/// `PUT /api/v1/account/l2`: re-encrypts every L2 value of every version under a new l2Key.
package struct L2RekeyBody: Codable, Sendable {
    package var proof: ProofBody
    package var l2: L2Body
    /// A new kit. Required if the account has a kit, because the old kit wraps the old key.
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

/// `GET /api/v1/account/l2`: all L2 values of all versions, in pages.
package struct L2ValuesBody: Codable, Sendable {
    package var envelopes: [L2RekeyBody.Envelope]
    package var next: String?

    package init(envelopes: [L2RekeyBody.Envelope], next: String?) {
        self.envelopes = envelopes
        self.next = next
    }
}
