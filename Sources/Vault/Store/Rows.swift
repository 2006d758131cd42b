package import VaultFormat

/// A value as it rests: a box under its data key, or a client's envelope.
package struct StoredValue: Sendable {
    package let place: FieldPlace
    package let box: [UInt8]
    /// Unix seconds.
    package let written: Int64
    package let author: HolderID

    package init(place: FieldPlace, box: [UInt8], written: Int64, author: HolderID) {
        self.place = place
        self.box = box
        self.written = written
        self.author = author
    }
}

/// A value and one holder's wrap of its key, if it has one. L2 values have none.
package struct StoredPart: Sendable {
    package let value: StoredValue
    package let wrap: Wrap?

    package init(value: StoredValue, wrap: Wrap?) {
        self.value = value
        self.wrap = wrap
    }
}

/// A field's current value without the value: where it stands, and one holder's wrap of its key, if it has one.
package struct StoredField: Sendable {
    package let place: FieldPlace
    package let wrap: Wrap?

    package init(place: FieldPlace, wrap: Wrap?) {
        self.place = place
        self.wrap = wrap
    }
}

/// An entry's row and metadata as one holder sees them. Values are not in it: a list must not read them.
package struct StoredEntry: Sendable {
    package let row: EntryRow
    /// Title and details, as far as the holder has them.
    package let title: StoredPart?
    package let details: StoredPart?
    /// Every current field for the owner; for an agent those that it holds.
    package let fields: [FieldID: StoredField]

    package init(row: EntryRow, title: StoredPart?, details: StoredPart?, fields: [FieldID: StoredField]) {
        self.row = row
        self.title = title
        self.details = details
        self.fields = fields
    }

    /// Bytes that reading it took, for the bounds of a page.
    package var byteCount: Int {
        (title?.value.box.count ?? 0) + (details?.value.box.count ?? 0) + fields.count * 128
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
    package var depositor: HolderID?
    /// Grows with every new entry of the file.
    package let order: Int64

    package init(
        id: EntryID, vault: VaultID, version: Int, state: EntryState, created: Int64, updated: Int64,
        deleted: Int64? = nil, depositor: HolderID? = nil, order: Int64 = 0
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

/// A line with its number among its vault's lines, from 1: the log's own would show a tenant what the others do.
package struct NumberedAuditLine: Sendable {
    package let number: Int64
    package let line: StoredAuditLine

    package init(number: Int64, line: StoredAuditLine) {
        self.number = number
        self.line = line
    }
}

/// A place in a vault's audit log.
package struct AuditPosition: Equatable, Sendable {
    /// In the whole log; never shown.
    package let sequence: Int64
    /// Among the vault's lines, from 1.
    package let number: Int64

    package init(sequence: Int64, number: Int64) {
        self.sequence = sequence
        self.number = number
    }
}

/// Something of the owner's, boxed under his wrap key.
package enum OwnerItem: String, Sendable {
    case totp
    case pendingTOTP = "totp-pending"
    case index

    package func context(vault: VaultID, holder: HolderID) -> Context {
        Context("item", vault.bytes, holder.bytes, Array(rawValue.utf8))
    }
}

package struct HolderRow: Sendable {
    package let id: HolderID
    package let vault: VaultID
    package let isOwner: Bool
    /// Boxed in the node tier.
    package let publicKey: [UInt8]

    package init(id: HolderID, vault: VaultID, isOwner: Bool, publicKey: [UInt8]) {
        self.id = id
        self.vault = vault
        self.isOwner = isOwner
        self.publicKey = publicKey
    }
}

/// What was answered to a request with an `Idempotency-Key`, boxed under the principal's wrap key.
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
    /// Opens a holder's row and compares its column with what the node sealed.
    package init(_ row: HolderRow, keys: NodeKeys) throws {
        try self.init(id: row.id, vault: row.vault, stored: row.publicKey, keys: keys)
        guard isOwner == row.isOwner else { throw VaultError.damaged("a holder that became somebody else") }
    }
}
