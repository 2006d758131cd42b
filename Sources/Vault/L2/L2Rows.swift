package import VaultFormat

/// The state of an account's l2Key, which the node cannot open.
package struct L2State: Equatable, Sendable {
    /// From 1.
    package let generation: Int
    /// The previous l2Key, encrypted by the client under the present one, while a rekey runs.
    package let previous: [UInt8]?

    package init(generation: Int, previous: [UInt8]?) {
        self.generation = generation
        self.previous = previous
    }
}

/// The row of an entry that has or had L2 values: the client's secret box of their key and of the list of L2 fields.
package struct L2EntryRow: Equatable, Sendable {
    package let entry: EntryID
    package let vault: VaultID
    /// From 1; the key id of all of the entry's envelopes.
    package let number: UInt32
    /// The l2Key's generation.
    package let generation: Int
    package let box: [UInt8]

    package init(entry: EntryID, vault: VaultID, number: UInt32, generation: Int, box: [UInt8]) {
        self.entry = entry
        self.vault = vault
        self.number = number
        self.generation = generation
        self.box = box
    }
}

/// What a request says about an entry's L2 key.
package struct L2EntryWrite: Equatable, Sendable {
    package let generation: Int
    package let number: UInt32
    package let box: [UInt8]

    package init(generation: Int, number: UInt32, box: [UInt8]) {
        self.generation = generation
        self.number = number
        self.box = box
    }

    func row(of entry: EntryID, in vault: VaultID) -> L2EntryRow {
        L2EntryRow(entry: entry, vault: vault, number: number, generation: generation, box: box)
    }

    /// Checks header and length of the secret box, which the node cannot open.
    ///
    /// `fields`: The entry's L2 fields after the request, all of which it must list.
    func checkBox(fields: Int) throws(VaultError) {
        guard (try? Box.keyID(of: box)).map({ Int($0) }) == generation else {
            throw .invalid("l2.box", "must be a secret box whose key id is l2.generation")
        }
        guard box.count == L2EntryKey.boxCount(fields: fields) else {
            throw .invalid(
                "l2.box", "must list the L2 fields that the entry has afterwards, here \(fields), and no others")
        }
    }
}

/// One version of an L2 value.
package struct L2Version: Hashable, Sendable {
    package let field: FieldID
    package let version: Int

    package init(field: FieldID, version: Int) {
        self.field = field
        self.version = version
    }
}

/// An L2 value as it is stored, without its secret box.
package struct L2ValueSize: Sendable {
    package let place: FieldPlace
    package let isCurrent: Bool
    /// Bytes of the secret box.
    package let count: Int

    package init(place: FieldPlace, isCurrent: Bool, count: Int) {
        self.place = place
        self.isCurrent = isCurrent
        self.count = count
    }

    var version: L2Version { L2Version(field: place.field, version: place.version) }
}

/// An L2 value of any version.
package struct L2StoredValue: Sendable {
    package let value: StoredValue
    package let isCurrent: Bool

    package init(value: StoredValue, isCurrent: Bool) {
        self.value = value
        self.isCurrent = isCurrent
    }
}
