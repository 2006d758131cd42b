// Binary values are base64url without padding; times are Unix seconds.

/// The l2Key of one generation, wrapped by the client.
package struct L2Body: Codable, Equatable, Sendable {
    /// From 1; a request must name the account's.
    package var generation: Int
    package var wrappedKey: String

    package init(generation: Int, wrappedKey: String) {
        self.generation = generation
        self.wrappedKey = wrappedKey
    }
}

/// The key of an entry's L2 values with the list of its L2 fields, encrypted by the client.
package struct L2EntryBody: Codable, Equatable, Sendable {
    /// The l2Key's generation.
    package var generation: Int
    /// The number of the entry's key, from 1; the key id of all envelopes.
    package var key: Int
    package var box: String

    package init(generation: Int, key: Int, box: String) {
        self.generation = generation
        self.key = key
        self.box = box
    }
}

/// `PUT /api/v1/account/l2`: begins a rekey with the next generation of the l2Key.
package struct L2RekeyBody: Codable, Sendable {
    package var proof: ProofBody
    package var l2: L2Body
    /// The present l2Key, encrypted under the new one.
    package var previous: String
    /// A new kit. Required if the account has a kit, because the old kit wraps the old key.
    package var recovery: RecoveryBody?

    package init(proof: ProofBody, l2: L2Body, previous: String, recovery: RecoveryBody?) {
        self.proof = proof
        self.l2 = l2
        self.previous = previous
        self.recovery = recovery
    }
}

/// `GET /api/v1/account/l2`: the l2Key's generation, and the entries that a rekey has not reached, trashed ones too.
package struct L2StatusBody: Codable, Sendable {
    package var generation: Int
    /// The previous l2Key, encrypted under the present one, while a rekey runs.
    package var previous: String?
    package var entries: [String]
    package var next: String?

    package init(generation: Int, previous: String?, entries: [String], next: String?) {
        self.generation = generation
        self.previous = previous
        self.entries = entries
        self.next = next
    }
}

/// `GET /api/v1/entries/{id}/l2`: all L2 values of all versions of an entry, in pages.
package struct L2ValuesBody: Codable, Sendable {
    /// The entry's version, for `If-Match`.
    package var version: Int
    package var l2: L2EntryBody
    package var envelopes: [Envelope]
    package var next: String?

    package struct Envelope: Codable, Sendable {
        package var field: String
        package var version: Int
        /// Whether this is the field's current value.
        package var isCurrent: Bool
        package var envelope: String

        package init(field: String, version: Int, isCurrent: Bool, envelope: String) {
            self.field = field
            self.version = version
            self.isCurrent = isCurrent
            self.envelope = envelope
        }
    }

    package init(version: Int, l2: L2EntryBody, envelopes: [Envelope], next: String?) {
        self.version = version
        self.l2 = l2
        self.envelopes = envelopes
        self.next = next
    }
}

/// `PUT /api/v1/entries/{id}/l2`: the next key of an entry, and its L2 values encrypted anew. All current values are required; older ones
/// that are not named are deleted.
package struct L2EntryRekeyBody: Codable, Sendable {
    package var l2: L2EntryBody
    package var envelopes: [Envelope]

    package struct Envelope: Codable, Sendable {
        package var field: String
        package var version: Int
        package var envelope: String

        package init(field: String, version: Int, envelope: String) {
            self.field = field
            self.version = version
            self.envelope = envelope
        }
    }

    package init(l2: L2EntryBody, envelopes: [Envelope]) {
        self.l2 = l2
        self.envelopes = envelopes
    }
}
