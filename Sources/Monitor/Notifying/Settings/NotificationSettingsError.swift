/// An error in the notification settings. Found at start-up rather than when an alarm is sent.
package enum NotificationSettingsError: Error, Equatable, Sendable {
    case unknownKeys([String], in: String)
    case sameName(String)
    case noSuchChannel(String)
    /// The subject, and what is wrong with it. Never contains a secret.
    case badValue(String, String)
    case unknownType(String, channel: String)
    case missing(key: String, channel: String)
    /// A file that should contain a secret.
    case unreadable(path: String, channel: String, reason: String)
    case badSecret(path: String, channel: String, reason: String)
}

extension NotificationSettingsError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unknownKeys(let keys, let place):
            "Unknown keys in \(place): \(keys.joined(separator: ", ")). Correct or remove them."
        case .sameName(let name):
            "Two channels are called \(name). Give each channel a name of its own."
        case .noSuchChannel(let name):
            "A route names the channel \(name), which does not exist. Add the channel, or correct the route."
        case .badValue(let subject, let fault):
            "Wrong value for \(subject): \(fault)."
        case .unknownType(let type, let channel):
            """
            The channel \(channel) has the unknown type \(type). The types are: \
            \(ChannelSettings.ChannelType.allCases.map(\.rawValue).joined(separator: ", ")).
            """
        case .missing(let key, let channel):
            "The channel \(channel) needs the key \(key)."
        case .unreadable(let path, let channel, let reason):
            "The secret of the channel \(channel) cannot be read from \(path): \(reason)."
        case .badSecret(let path, let channel, let reason):
            "The secret in \(path) cannot be used for the channel \(channel): \(reason)."
        }
    }
}

/// Any key, to find unknown ones.
private struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

extension Decoder {
    /// Rejects unknown keys: a misspelt key would silently leave its default in effect.
    func rejectUnknownKeys(than known: [String], in place: String) throws {
        let keys = try container(keyedBy: AnyKey.self).allKeys.map(\.stringValue)
        let unknown = keys.filter { !known.contains($0) }.sorted()
        guard unknown.isEmpty else { throw NotificationSettingsError.unknownKeys(unknown, in: place) }
    }
}
