import Crypto

/// Everything that one batch brings to one channel. This is what the outbox keeps.
package struct Message: Codable, Equatable, Sendable {
    /// The same for the same content, however often it is made.
    package let key: String
    package let channel: String
    package let at: Int64
    /// The worst first. Not more than the channel carries.
    package let changes: [IncidentChange]
    /// How many changes there are in all.
    package let total: Int

    /// `changes` must not be empty.
    package init(channel: String, changes: [IncidentChange], most: Int = MessageText.mostNamed) {
        var digest = SHA256()
        digest.update(data: Array(channel.utf8))
        for change in changes {
            digest.update(data: Array("\n\(change.incident.id) \(change.kind.rawValue) \(change.at)".utf8))
        }
        key = digest.finalize().prefix(16).hex
        self.channel = channel
        at = changes.map(\.at).max() ?? 0
        total = changes.count
        // Changes of one incident keep their order, or an end would come before its beginning.
        let worst = Dictionary(changes.map { ($0.incident.id, $0.incident.severity) }, uniquingKeysWith: max)
        let sorted = changes.enumerated().sorted { left, right in
            let (first, second) = (worst[left.element.incident.id], worst[right.element.incident.id])
            if let first, let second, first != second { return first > second }
            return left.offset < right.offset
        }
        self.changes = sorted.prefix(most).map(\.element)
    }

    /// One message per channel, in the order in which the channels come up.
    package static func grouped(_ tellings: [Telling], most: (String) -> Int) -> [Message] {
        var channels: [String] = []
        var changes: [String: [IncidentChange]] = [:]
        for telling in tellings {
            if changes[telling.channel] == nil { channels.append(telling.channel) }
            changes[telling.channel, default: []].append(telling.change)
        }
        return channels.map { Message(channel: $0, changes: changes[$0] ?? [], most: most($0)) }
    }
}
