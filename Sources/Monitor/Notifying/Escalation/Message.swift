import Crypto

/// Everything that a line is told at once. It is made when it is sent.
package struct Message: Equatable, Sendable {
    /// The same for the same content, however often it is made.
    package let key: String
    package let channel: String
    package let at: Int64
    /// The worst first. Not more than the channel carries.
    package let changes: [IncidentChange]
    /// How many changes there are in all.
    package let total: Int
    /// What services that keep things open know these changes as.
    package let thread: Thread

    package struct Thread: Equatable, Sendable {
        package var name: String
        package var isOver: Bool
        package var isAcknowledged: Bool
    }

    /// Carried with all their details; the others are counted.
    package static let most = 500

    /// `parcels` must have a change.
    package init(channel: String, _ parcels: [Parcel]) {
        let changes = parcels.flatMap(\.changes)
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
        self.changes = sorted.prefix(Self.most).map(\.element)
        thread = Thread(
            name: parcels.first?.thread ?? "", isOver: parcels.allSatisfy(\.isOver),
            isAcknowledged: parcels.allSatisfy(\.isAcknowledged))
    }

    /// Of changes of which the line knew nothing.
    package init(channel: String, changes: [IncidentChange]) {
        var parcel = Parcel(thread: changes.first.map { "\($0.incident.id)/\($0.incident.opened)" } ?? "")
        parcel.changes = changes
        let open = changes.filter { $0.kind != .resolved && $0.kind != .passed }
        parcel.isOver = open.isEmpty
        parcel.isAcknowledged = !open.isEmpty && open.allSatisfy { $0.incident.acknowledged != nil }
        self.init(channel: channel, [parcel])
    }
}

extension Message {
    /// Something that opens, and its end: so that nothing stays open at a service that keeps things open.
    package static func test(of channel: String, at now: Int64) -> [Message] {
        var incident = Incident(
            id: 0, key: "monitor/test/\(channel)", node: nil, region: nil, rule: "test", severity: .sev2,
            title: "Test of the channel \(channel)", detail: "Somebody tries whether this arrives. Nothing is wrong.",
            opened: now)
        let opened = IncidentChange(.opened, incident, at: now)
        incident.resolved = now
        return [opened, IncidentChange(.resolved, incident, at: now)].map { Message(channel: channel, changes: [$0]) }
    }
}
