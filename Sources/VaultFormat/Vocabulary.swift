/// The type of an entry. Affects presentation only: an entry of any type can have any fields.
package enum EntryType: String, Sendable, Codable, CaseIterable {
    case login
    case note
    case card
    case identity
    case sshKey = "ssh-key"
    case totp
    case apiKey = "api-key"
}

/// The kind of a field, which decides how its text is interpreted and displayed.
package enum FieldKind: String, Sendable, Codable, CaseIterable {
    case text
    case username
    /// Displayed only on request.
    case secret
    case url
    case email
    case phone
    /// A seed or an `otpauth://` URI. Its codes can be granted without the seed.
    case totp
    case date
    case number
    /// Multi-line text.
    case note
}

/// An operation that an agent may perform on its grants.
package enum AgentVerb: String, Codable, Sendable, CaseIterable {
    /// Read values, and TOTP codes too.
    case read
    /// Write new values of fields that it can open.
    case write
    /// Create entries that it cannot read back.
    case deposit
    /// Read codes of TOTP fields, without their seeds.
    case totp
}
