package import Vault
package import VaultFormat

/// Encrypts the L2 values of one entry as a client does.
package struct L2Writer: Sendable {
    package let l2Key: L2Key
    package var key: L2EntryKey

    /// With a new key for a new entry.
    package init(_ person: Person, entry: EntryID) {
        l2Key = person.l2
        key = .generate(for: entry, in: person.vault)
    }

    /// With the next key, which a rekey gives the entry.
    package init(_ person: Person, after old: L2EntryKey) {
        l2Key = person.l2
        key = .generate(for: old.entry, in: person.vault, number: old.number + 1, fields: old.fields)
    }

    /// Encrypts a value and lists it.
    package mutating func envelope(_ value: String, _ field: FieldID, version: Int = 1) -> [UInt8] {
        key.fields[field] = version
        return key.seal(Array(value.utf8), field: field, version: version)
    }

    /// The same as a part of an edit.
    package mutating func field(
        _ id: FieldID, _ value: String = "secret", label: String? = "l2", version: Int = 1
    ) -> EntryEdit.Field {
        EntryEdit.Field(id: id, label: label, tier: .l2, content: .envelope(envelope(value, id, version: version)))
    }

    package var write: L2EntryWrite {
        L2EntryWrite(generation: l2Key.generation, number: key.number, box: l2Key.sealed(key))
    }
}
