package import VaultFormat

/// A stored value: a secret box under its data key, or a client's envelope.
package struct StoredValue: Sendable {
    package let place: FieldPlace
    package let box: [UInt8]
    /// Unix seconds.
    package let written: Int64
    package let author: PrincipalID

    package init(place: FieldPlace, box: [UInt8], written: Int64, author: PrincipalID) {
        self.place = place
        self.box = box
        self.written = written
        self.author = author
    }
}

/// A stored value with one key holder's wrap of its data key, if there is one. L2 values have no wraps.
package struct StoredPart: Sendable {
    package let value: StoredValue
    package let wrap: Wrap?

    package init(value: StoredValue, wrap: Wrap?) {
        self.value = value
        self.wrap = wrap
    }
}

/// A field's value with its `about` part, which an L2 field does not have.
package struct FoundField: Sendable {
    package let value: StoredPart
    package let about: StoredPart?
    /// The digest of the entry's record, which names both.
    package let record: StateDigest

    package init(value: StoredPart, about: StoredPart?, record: StateDigest) {
        self.value = value
        self.about = about
        self.record = record
    }
}

/// The place of a part's current version with one key holder's wrap, if there is one, without the value.
package struct StoredField: Sendable {
    package let place: FieldPlace
    package let wrap: Wrap?

    package init(place: FieldPlace, wrap: Wrap?) {
        self.place = place
        self.wrap = wrap
    }
}

/// An entry's row and encrypted metadata for one key holder, without values, which a list must not read.
package struct StoredEntry: Sendable {
    package let row: EntryRow
    /// Title and details, with the key holder's wraps.
    package let title: StoredPart?
    package let details: StoredPart?
    /// The value of every current field that the reader may know of: for an agent those whose `about` part it may read. Without a
    /// wrap where it may not read the value.
    package let fields: [FieldID: StoredField]
    /// The `about` parts of these fields; L2 fields have none.
    package let abouts: [FieldID: StoredField]
    /// For the owner, of an entry that has or had L2 values.
    package let l2: L2EntryRow?

    package init(
        row: EntryRow, title: StoredPart?, details: StoredPart?, fields: [FieldID: StoredField],
        abouts: [FieldID: StoredField], l2: L2EntryRow?
    ) {
        self.row = row
        self.title = title
        self.details = details
        self.fields = fields
        self.abouts = abouts
        self.l2 = l2
    }

    /// Bytes that were read, for the limit of a page.
    package var byteCount: Int {
        (title?.value.box.count ?? 0) + (details?.value.box.count ?? 0) + (fields.count + abouts.count) * 128
            + (l2?.box.count ?? 0)
    }
}

package struct EntryRow: Sendable {
    package let id: EntryID
    package let vault: VaultID
    package var version: Int
    package var state: EntryState
    package var created: Int64
    package var updated: Int64
    package var deleted: Int64?
    package var depositor: PrincipalID?
    /// Creation order within the file.
    package let order: Int64

    package init(
        id: EntryID, vault: VaultID, version: Int, state: EntryState, created: Int64, updated: Int64,
        deleted: Int64? = nil, depositor: PrincipalID? = nil, order: Int64 = 0
    ) {
        self.id = id
        self.vault = vault
        self.version = version
        self.state = state
        self.created = created
        self.updated = updated
        self.deleted = deleted
        self.depositor = depositor
        self.order = order
    }
}

/// An audit line with its number among its vault's lines, from 1. The log-wide sequence number would reveal other tenants'
/// activity.
package struct NumberedAuditLine: Sendable {
    package let number: Int64
    package let line: StoredAuditLine

    package init(number: Int64, line: StoredAuditLine) {
        self.number = number
        self.line = line
    }
}

/// A position in a vault's audit log.
package struct AuditPosition: Equatable, Sendable {
    /// Log-wide sequence number; not shown to clients.
    package let sequence: Int64
    /// Number among the vault's lines, from 1.
    package let number: Int64

    package init(sequence: Int64, number: Int64) {
        self.sequence = sequence
        self.number = number
    }
}

/// An item encrypted under the owner's wrap key. The account's row lists the names of those that it has, so that one that is missing
/// shows, and a new key holder gets them all.
package struct OwnerItem: Hashable, Sendable {
    package let name: String

    package static let totp = OwnerItem(name: "totp")
    package static let pendingTOTP = OwnerItem(name: "totp-pending")
    package static let index = OwnerItem(name: "index")
    /// Name and origin of a passkey.
    package static func passkey(_ id: CredentialID) -> OwnerItem { OwnerItem(name: passkeyPrefix + id.text) }

    private static let passkeyPrefix = "passkey-"

    package init(name: String) {
        self.name = name
    }

    package var isPasskey: Bool { name.hasPrefix(Self.passkeyPrefix) }

    /// The item's key in the store.
    package func key(of holder: HolderID) -> [UInt8] { holder.bytes + Array(name.utf8) }

    package func context(vault: VaultID, holder: HolderID) -> Context {
        Context("item", vault.bytes, holder.bytes, Array(name.utf8))
    }

    /// Encodes names as the account's row has them: in order, joined by commas.
    package static func list(_ items: Set<OwnerItem>) -> String {
        items.map(\.name).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.joined(separator: ",")
    }

    /// Decodes a list. Names of a newer version of the program are kept.
    package static func parse(_ list: String) -> Set<OwnerItem> {
        Set(list.split(separator: ",").map { OwnerItem(name: String($0)) })
    }
}

package struct HolderRow: Sendable {
    package let id: HolderID
    package let vault: VaultID
    /// Whose key holder it is or was.
    package let principal: PrincipalID
    /// Encrypted in the node tier, with the principal.
    package let publicKey: [UInt8]

    package init(id: HolderID, vault: VaultID, principal: PrincipalID, publicKey: [UInt8]) {
        self.id = id
        self.vault = vault
        self.principal = principal
        self.publicKey = publicKey
    }
}

/// The response to a request with an `Idempotency-Key`, encrypted under the principal's wrap key.
package struct IdempotencyRecord: Sendable {
    package let holder: HolderID
    /// SHA-256 of the key.
    package let key: [UInt8]
    package let box: [UInt8]
    /// Unix seconds.
    package let created: Int64

    package init(holder: HolderID, key: [UInt8], box: [UInt8], created: Int64) {
        self.holder = holder
        self.key = key
        self.box = box
        self.created = created
    }
}

extension HolderPublicKey {
    /// Opens a key holder's row.
    ///
    /// - Throws: `VaultError.damaged` when the node sealed it for another principal.
    package init(_ row: HolderRow, keys: NodeKeys) throws {
        try self.init(id: row.id, vault: row.vault, stored: row.publicKey, keys: keys)
        guard principal == row.principal else { throw VaultError.damaged("a key holder of another principal") }
    }
}

extension HolderPublicKey {
    /// Opens the public key of an agent's current key holder, which was read with the agent's row.
    init(_ agent: StoredAgent, keys: NodeKeys) throws {
        try self.init(
            HolderRow(id: agent.holder, vault: agent.vault, principal: agent.id, publicKey: agent.publicKey), keys: keys
        )
    }
}
