import Crypto
import Encoding

/// Everything that a recipient receives at once. Composed when it is sent.
package struct Message: Equatable, Sendable {
    /// Idempotency key: the same for the same content.
    package let key: String
    package let channel: String
    package let at: Int64
    /// Highest severity first, and limited in number.
    package let changes: [IncidentChange]
    /// Total number of changes.
    package let total: Int
    /// Thread of these changes, for services that keep incidents open.
    package let thread: Thread

    package struct Thread: Equatable, Sendable {
        package var name: String
        package var isOver: Bool
        package var isAcknowledged: Bool
    }

    /// Changes with full details; the rest is only counted.
    package static let maxChanges = 500

    /// Creates a message from updates, which must contain a change.
    package init(channel: String, _ updates: [ThreadUpdate]) {
        let changes = updates.flatMap(\.changes)
        var digest = SHA256()
        digest.update(data: Array(channel.utf8))
        for change in changes {
            digest.update(data: Array("\n\(change.incident.id) \(change.kind.rawValue) \(change.at)".utf8))
        }
        key = Hexadecimal.encode(digest.finalize().prefix(16))
        self.channel = channel
        at = changes.map(\.at).max() ?? 0
        total = changes.count
        // Changes of one incident keep their order, or a resolution would come before the opening.
        let worst = Dictionary(changes.map { ($0.incident.id, $0.incident.severity) }, uniquingKeysWith: max)
        let sorted = changes.enumerated().sorted { left, right in
            let (first, second) = (worst[left.element.incident.id], worst[right.element.incident.id])
            if let first, let second, first != second { return first > second }
            return left.offset < right.offset
        }
        self.changes = sorted.prefix(Self.maxChanges).map(\.element)
        thread = Thread(
            name: updates.first?.thread ?? "", isOver: updates.allSatisfy(\.isOver),
            isAcknowledged: updates.allSatisfy(\.isAcknowledged))
    }

    /// Creates a message from changes that the recipient does not know.
    package init(channel: String, changes: [IncidentChange]) {
        var update = ThreadUpdate(thread: changes.first.map { "\($0.incident.id)/\($0.incident.opened)" } ?? "")
        update.changes = changes
        let open = changes.filter { $0.kind != .resolved && $0.kind != .openedAndResolved }
        update.isOver = open.isEmpty
        update.isAcknowledged = !open.isEmpty && open.allSatisfy { $0.incident.acknowledged != nil }
        self.init(channel: channel, [update])
    }
}

extension Message {
    /// Creates a test incident and its resolution, so that nothing stays open at the service.
    package static func test(of channel: String, at now: Int64) -> [Message] {
        var incident = Incident(
            id: 0, key: "monitor/test/\(channel)", node: nil, region: nil, rule: "test", severity: .sev2,
            title: "Test of the channel \(channel)", detail: "This is a delivery test. Nothing is wrong.",
            opened: now)
        let opened = IncidentChange(.opened, incident, at: now)
        incident.resolved = now
        return [opened, IncidentChange(.resolved, incident, at: now)].map { Message(channel: channel, changes: [$0]) }
    }
}
