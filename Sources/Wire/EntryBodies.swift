/// A new entry, a replacement (`PUT`) or a patch. Absent members stay unchanged; a replacement must have `fields` and removes those
/// that it does not contain.
package struct EntryWriteBody: Codable, Sendable {
    package var id: String?
    package var title: String?
    package var type: String?
    package var urls: [String]?
    package var tags: [String]?
    package var notes: String?
    package var fields: [FieldWriteBody]?
    /// The key of the entry's L2 values with the new list of L2 fields. Required with an envelope.
    package var l2: L2EntryBody?

    package init(
        id: String? = nil, title: String? = nil, type: String? = nil, urls: [String]? = nil, tags: [String]? = nil,
        notes: String? = nil, fields: [FieldWriteBody]? = nil, l2: L2EntryBody? = nil
    ) {
        self.id = id
        self.title = title
        self.type = type
        self.urls = urls
        self.tags = tags
        self.notes = notes
        self.fields = fields
        self.l2 = l2
    }
}

package struct FieldWriteBody: Codable, Sendable {
    package var id: String?
    package var label: String?
    package var kind: String?
    /// The tier: 1 or 2.
    package var tier: Int?
    /// The value of an L1 field.
    package var value: String?
    /// The value of an L2 field, encrypted by the client.
    package var envelope: String?
    /// Removes the field, in a patch.
    package var remove: Bool?

    package init(
        id: String? = nil, label: String? = nil, kind: String? = nil, tier: Int? = nil, value: String? = nil,
        envelope: String? = nil, remove: Bool? = nil
    ) {
        self.id = id
        self.label = label
        self.kind = kind
        self.tier = tier
        self.value = value
        self.envelope = envelope
        self.remove = remove
    }
}

/// Metadata of an entry, without values. An agent gets neither urls, tags nor notes, and only fields granted to it.
package struct EntryBody: Codable, Equatable, Sendable {
    package var id: String
    package var version: Int
    package var title: String
    package var type: String
    package var urls: [String]?
    package var tags: [String]?
    package var notes: String?
    package var createdAt: Int64
    package var updatedAt: Int64
    package var deletedAt: Int64?
    /// The depositing agent's id, while the entry is a deposit.
    package var depositor: String?
    /// The depositing agent's name, for the owner.
    package var depositorName: String?
    package var fields: [FieldBody]
    /// The key of its L2 values, for the owner of an entry that has or had some.
    package var l2: L2EntryBody?

    package init(
        id: String, version: Int, title: String, type: String, urls: [String]?, tags: [String]?, notes: String?,
        createdAt: Int64, updatedAt: Int64, deletedAt: Int64?, depositor: String?, fields: [FieldBody]
    ) {
        self.id = id
        self.version = version
        self.title = title
        self.type = type
        self.urls = urls
        self.tags = tags
        self.notes = notes
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.deletedAt = deletedAt
        self.depositor = depositor
        self.fields = fields
    }
}

package struct FieldBody: Codable, Equatable, Sendable {
    package var id: String
    package var label: String
    package var kind: String
    package var tier: Int
    /// The entry's version in which the value was last written.
    package var version: Int

    package init(id: String, label: String, kind: String, tier: Int, version: Int) {
        self.id = id
        self.label = label
        self.kind = kind
        self.tier = tier
        self.version = version
    }
}

package struct EntryListBody: Codable, Equatable, Sendable {
    package var entries: [EntryBody]
    /// The cursor of the next page; absent at the end.
    package var next: String?

    package init(entries: [EntryBody], next: String?) {
        self.entries = entries
        self.next = next
    }
}

package struct SearchBody: Codable, Sendable {
    package var text: String?
    package var tag: String?
    /// A host, or a domain that contains it.
    package var host: String?
    /// Complete titles, one of which must match. Excludes the other members.
    package var titles: [String]?
    package var cursor: String?
    package var limit: Int?

    package init(
        text: String? = nil, tag: String? = nil, host: String? = nil, titles: [String]? = nil, cursor: String? = nil,
        limit: Int? = nil
    ) {
        self.titles = titles
        self.text = text
        self.tag = tag
        self.host = host
        self.cursor = cursor
        self.limit = limit
    }
}

/// A field with its content: `value` for L1, `envelope` for L2.
package struct FieldValueBody: Codable, Equatable, Sendable {
    package var id: String
    package var label: String
    package var kind: String
    package var tier: Int
    package var version: Int
    package var value: String?
    package var envelope: String?

    package init(
        id: String, label: String, kind: String, tier: Int, version: Int, value: String?, envelope: String?
    ) {
        self.id = id
        self.label = label
        self.kind = kind
        self.tier = tier
        self.version = version
        self.value = value
        self.envelope = envelope
    }
}

/// `POST /api/v1/values`: the fields to read in one request.
package struct ValuesReadBody: Codable, Equatable, Sendable {
    package var values: [Field]

    package struct Field: Codable, Hashable, Sendable {
        package var entry: String
        package var field: String

        package init(entry: String, field: String) {
            self.entry = entry
            self.field = field
        }
    }

    package init(values: [Field]) {
        self.values = values
    }
}

/// The values, in the order of the request.
package struct ValuesBody: Codable, Equatable, Sendable {
    package var values: [FieldValueBody]

    package init(values: [FieldValueBody]) {
        self.values = values
    }
}

package struct CodeBody: Codable, Equatable, Sendable {
    package var code: String
    /// In seconds.
    package var period: Int64
    package var expiresIn: Int64

    package init(code: String, period: Int64, expiresIn: Int64) {
        self.code = code
        self.period = period
        self.expiresIn = expiresIn
    }
}

package struct VersionsBody: Codable, Equatable, Sendable {
    package var versions: [Version]

    package struct Version: Codable, Equatable, Sendable {
        package var version: Int
        package var at: Int64
        /// The principal that wrote the version: the owner, whose id is the vault's, or an agent.
        package var by: String
        /// The agent's name, even if it was revoked since; nil for the owner.
        package var agentName: String?
        /// The fields written in the version.
        package var fields: [String]

        package init(version: Int, at: Int64, by: String, agentName: String?, fields: [String]) {
            self.version = version
            self.at = at
            self.by = by
            self.agentName = agentName
            self.fields = fields
        }
    }

    package init(versions: [Version]) {
        self.versions = versions
    }
}

/// `POST …/restore`: restores a version, or without one the entry from the trash.
package struct RestoreBody: Codable, Sendable {
    package var version: Int?
    /// New envelopes for L2 fields that have changed since.
    package var fields: [FieldWriteBody]?
    /// The key of the entry's L2 values with the new list of L2 fields. Required with an envelope.
    package var l2: L2EntryBody?

    package init(version: Int? = nil, fields: [FieldWriteBody]? = nil, l2: L2EntryBody? = nil) {
        self.version = version
        self.fields = fields
        self.l2 = l2
    }
}

/// The id of a new deposit.
package struct DepositBody: Codable, Equatable, Sendable {
    package var id: String

    package init(id: String) {
        self.id = id
    }
}
