/// What an entry is for. Affects presentation alone: every type holds any fields.
package enum EntryType: String, Sendable, Codable, CaseIterable {
    case login
    case note
    case card
    case identity
    case sshKey = "ssh-key"
    case totp
    case apiKey = "api-key"
}

/// How a field's text is to be understood and shown.
package enum FieldKind: String, Sendable, Codable, CaseIterable {
    case text
    case username
    /// Shown only when asked for.
    case secret
    case url
    case email
    case phone
    /// A seed or an `otpauth://` URI; its codes can be given without it.
    case totp
    case date
    case number
    /// Several lines.
    case note
}

/// What an agent may do with what it was granted.
package enum AgentVerb: String, Codable, Sendable, CaseIterable {
    /// Values, and codes too.
    case read
    /// New values of fields that it can open.
    case write
    /// New entries that it cannot read back.
    case deposit
    /// Codes of TOTP fields, without their seeds.
    case totp
}
