/// Why notifications cannot be set up. Found at the start of the program, never in the night.
package enum NotificationSettingsError: Error, Equatable, Sendable {
    case unknownKeys([String], in: String)
    case sameName(String)
    case noSuchChannel(String)
    /// What it is about, and what is wrong with it. Never holds a secret.
    case badValue(String, String)
    case unknownType(String, channel: String)
    case missing(key: String, channel: String)
    /// A file that a secret should be in.
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
            "A route leads to the channel \(name), which does not exist. Add the channel, or correct the route."
        case .badValue(let subject, let fault):
            "Wrong value for \(subject): \(fault)."
        case .unknownType(let type, let channel):
            """
            The channel \(channel) has the unknown type \(type). Use webhook, ntfy, chat, pagerduty, telegram or email.
            """
        case .missing(let key, let channel):
            "The channel \(channel) needs the key \(key)."
        case .unreadable(let path, let channel, let reason):
            "The secret of the channel \(channel) cannot be read from \(path): \(reason)."
        case .badSecret(let path, let channel, let reason):
            "What \(path) holds is of no use to the channel \(channel): \(reason)."
        }
    }
}

/// Any key at all, so that those can be found that nobody reads.
private struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

extension Decoder {
    /// A misspelt key would leave its default in force without a word.
    func refuseOtherKeys(than known: [String], in place: String) throws {
        let keys = try container(keyedBy: AnyKey.self).allKeys.map(\.stringValue)
        let unknown = keys.filter { !known.contains($0) }.sorted()
        guard unknown.isEmpty else { throw NotificationSettingsError.unknownKeys(unknown, in: place) }
    }
}
