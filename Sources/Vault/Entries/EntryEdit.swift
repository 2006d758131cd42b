package import VaultFormat

/// A change to an entry, or a new entry. Nil members stay unchanged.
package struct EntryEdit: Sendable {
    package var title: String?
    package var type: EntryType?
    package var urls: [String]?
    package var tags: [String]?
    package var notes: String?
    package var fields: [Field]
    /// Whether fields that are not listed are removed: a replacement rather than a patch.
    package var replacesFields: Bool
    /// The key of the entry's L2 values. Required with an envelope.
    package var l2: L2EntryWrite?

    package struct Field: Sendable {
        /// Nil for a new field whose id the node chooses. The client chooses an L2 field's id, to which its envelope is bound.
        package var id: FieldID?
        package var label: String?
        package var kind: FieldKind?
        package var tier: Tier?
        package var content: FieldContent.Content?
        package var isRemoved: Bool

        package init(
            id: FieldID? = nil, label: String? = nil, kind: FieldKind? = nil, tier: Tier? = nil,
            content: FieldContent.Content? = nil, isRemoved: Bool = false
        ) {
            self.id = id
            self.label = label
            self.kind = kind
            self.tier = tier
            self.content = content
            self.isRemoved = isRemoved
        }
    }

    package init(
        title: String? = nil, type: EntryType? = nil, urls: [String]? = nil, tags: [String]? = nil,
        notes: String? = nil, fields: [Field] = [], replacesFields: Bool = false, l2: L2EntryWrite? = nil
    ) {
        self.title = title
        self.type = type
        self.urls = urls
        self.tags = tags
        self.notes = notes
        self.fields = fields
        self.replacesFields = replacesFields
        self.l2 = l2
    }

    /// Whether the edit changes anything but values of existing fields, which agents may not do.
    var touchesMetadata: Bool {
        title != nil || type != nil || urls != nil || tags != nil || notes != nil || replacesFields || l2 != nil
            || fields.contains { $0.id == nil || $0.label != nil || $0.kind != nil || $0.tier != nil || $0.isRemoved }
    }
}

/// Maximum sizes of an entry's parts, in bytes of UTF-8 unless noted otherwise.
package enum EntryLimits {
    package static let title = 1_024
    package static let label = 256
    package static let notes = 65_536
    package static let value = 65_536
    package static let url = 2_048
    package static let tag = 128
    /// Items of each list.
    package static let list = 64
    package static let fields = 128
    /// A part of an entry as JSON, where a control character takes six bytes.
    package static let part = 512 << 10
    /// Keys that one commit may seal to agents: each takes about 0.15 ms of processor time, and writer time.
    package static let sealedKeys = 1_024
    /// All current envelopes of an entry together: a request of a rekey has all of them, in base64url.
    package static let l2 = 2 << 20
}

extension EntryEdit {
    /// Checks sizes and formats.
    ///
    /// - Throws: `VaultError.invalid` with the member and what must hold.
    func validate() throws(VaultError) {
        try check(title, "title", EntryLimits.title)
        if let title, title.allSatisfy(\.isWhitespace) { throw .invalid("title", "must not be empty") }
        try check(notes, "notes", EntryLimits.notes)
        try check(urls, "urls", EntryLimits.url)
        try check(tags, "tags", EntryLimits.tag)
        if let tags, tags.contains(where: \.isEmpty) { throw .invalid("tags", "must not be empty") }
        guard fields.count <= EntryLimits.fields else {
            throw .invalid("fields", "must be at most \(EntryLimits.fields)")
        }
        var seen: Set<FieldID> = []
        for field in fields {
            if let id = field.id {
                guard !id.isReserved else {
                    throw .invalid("fields.id", "must not be a reserved id; choose 16 random bytes")
                }
                guard seen.insert(id).inserted else { throw .invalid("fields.id", "must be different from each other") }
            }
            try check(field.label, "fields.label", EntryLimits.label)
            if field.tier == .metadata { throw .invalid("fields.tier", "must be 1 or 2") }
            if case .value(let value)? = field.content { try check(value, "fields.value", EntryLimits.value) }
            if case .envelope(let box)? = field.content { try Self.checkEnvelope(box) }
        }
    }

    /// Checks header and length of an L2 envelope, which the node cannot open.
    package static func checkEnvelope(_ box: [UInt8]) throws(VaultError) {
        guard let number = try? Box.keyID(of: box), number > 0, box.count <= EntryLimits.value * 2 + Box.overhead else {
            throw .invalid(
                "fields.envelope",
                "must be a suite-1 secret box of at most \(EntryLimits.value * 2 + Box.overhead) bytes, with the entry's L2 key as its key id"
            )
        }
    }

    private func check(_ text: String?, _ member: String, _ limit: Int) throws(VaultError) {
        guard let text else { return }
        guard text.utf8.count <= limit else { throw .invalid(member, "must have at most \(limit) bytes") }
        guard !text.utf8.contains(0) else { throw .invalid(member, "must not contain NUL") }
    }

    private func check(_ list: [String]?, _ member: String, _ limit: Int) throws(VaultError) {
        guard let list else { return }
        guard list.count <= EntryLimits.list else {
            throw .invalid(member, "must have at most \(EntryLimits.list) items")
        }
        for item in list { try check(item, member, limit) }
    }
}
