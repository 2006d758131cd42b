/// An open incident and the state of its notification.
package struct TrackedIncident: Codable, Equatable, Sendable {
    package private(set) var incident: Incident
    /// Time of the last notification, by channel.
    package private(set) var lastNotified: [String: Int64] = [:]
    /// The severity that the notified channels know.
    private var notifiedSeverity: Severity
    /// Start of the time without acknowledgement.
    private var since: Int64
    /// When each severity last ended.
    private var left: [Severity: Int64] = [:]
    private var isAcknowledged: Bool
    /// The latest applied changes.
    private var recent: [Mark] = []

    private struct Mark: Codable, Equatable, Sendable {
        let kind: IncidentChange.Kind
        let at: Int64
    }

    /// Starts to track an incident.
    init(_ change: IncidentChange) {
        incident = change.incident
        notifiedSeverity = change.incident.severity
        since = change.at
        isAcknowledged = change.kind != .raised && change.incident.acknowledged != nil
        recent = [Mark(kind: change.kind, at: change.at)]
    }

    /// The keys of the stored JSON, which an upgrade must still read.
    private enum CodingKeys: String, CodingKey {
        case incident, since, left, recent
        case lastNotified = "told"
        case notifiedSeverity = "told-severity"
        case isAcknowledged = "is-acknowledged"
    }

    // MARK: Changes

    /// Whether a change is not a repetition of a recent one. Times alone cannot decide: clocks are set back.
    mutating func isNew(_ change: IncidentChange) -> Bool {
        let mark = Mark(kind: change.kind, at: change.at)
        guard !recent.contains(mark) else { return false }
        recent = recent.suffix(7) + [mark]
        return true
    }

    /// Applies a change of severity or inhibition.
    mutating func update(_ change: IncidentChange, _ routes: [Route]) -> [ChannelNotification] {
        let was = incident
        incident = change.incident
        if incident.severity != was.severity { left[was.severity] = change.at }
        if incident.severity > was.severity {
            if isAcknowledged { since = change.at }
            isAcknowledged = false
        }
        guard incident.inhibitedBy == nil else { return [] }
        if was.inhibitedBy != nil { since = max(since, change.at) }
        var notifications: [ChannelNotification] = []
        if incident.severity != notifiedSeverity {
            // The severity may have changed while it was inhibited: channels are notified of what they do not know.
            let wasRaised = incident.severity > notifiedSeverity
            notifiedSeverity = incident.severity
            notifications = notifyAll(
                change.kind == .uninhibited ? change.reported(as: wasRaised ? .raised : .lowered) : change)
        }
        return notifications + notifyImmediateRoutes(change, routes)
    }

    /// Notifies routes without a delay.
    mutating func notifyImmediateRoutes(_ change: IncidentChange, _ routes: [Route]) -> [ChannelNotification] {
        guard change.kind != .lowered || !isAcknowledged else { return [] }
        let news = change.kind == .uninhibited ? change.reported(as: .opened) : change
        return unique(routes.filter { $0.after == 0 && lastNotified[$0.channel] == nil && $0.matches(incident) }).map {
            notify($0, news)
        }
    }

    mutating func acknowledge(_ change: IncidentChange) -> [ChannelNotification] {
        let isKnown = isAcknowledged && incident.acknowledged == change.incident.acknowledged
        incident.acknowledged = change.incident.acknowledged
        isAcknowledged = true
        guard !isKnown, incident.inhibitedBy == nil else { return [] }
        return notifyAll(change)
    }

    // MARK: Time

    /// Applies routes that are due, and reminders.
    mutating func advance(to now: Int64, _ routes: [Route]) -> [ChannelNotification] {
        guard isAwaitingAcknowledgement else { return [] }
        let applicable = routes.filter { $0.matches(incident) && start(of: $0) <= now }
        // Computed first, or channels notified now would be reminded too.
        let reminded = unique(applicable.filter { reminder($0).map { $0 <= now } ?? false })
        let escalated = unique(applicable.filter { lastNotified[$0.channel] == nil })
        return escalated.map { notify($0, IncidentChange(.escalated, incident, at: now)) }
            + reminded.map { notify($0, IncidentChange(.reminded, incident, at: now)) }
    }

    /// The next time at which `advance` has an effect.
    func nextDue(_ routes: [Route]) -> Int64? {
        guard isAwaitingAcknowledgement else { return nil }
        return routes.filter { $0.matches(incident) }.compactMap { route in
            lastNotified[route.channel] == nil ? start(of: route) : reminder(route)
        }.min()
    }

    private var isAwaitingAcknowledgement: Bool { !isAcknowledged && incident.inhibitedBy == nil }

    /// When a matching route applies: `after` seconds after it began to match, or after acknowledgement ended.
    private func start(of route: Route) -> Int64 {
        let others = left.filter { !route.severities.contains($0.key) }.values
        return max(since, others.max() ?? since) + route.after * 1_000
    }

    /// Time of the next reminder; nil when the route has none, or was not notified yet.
    private func reminder(_ route: Route) -> Int64? {
        guard route.resend > 0, let last = lastNotified[route.channel] else { return nil }
        return max(last + route.resend * 1_000, start(of: route))
    }

    // MARK: Notifications

    private mutating func notifyAll(_ change: IncidentChange) -> [ChannelNotification] {
        let channels = lastNotified.keys.sorted()
        for channel in channels { lastNotified[channel] = change.at }
        return channels.map { ChannelNotification(channel: $0, change: change) }
    }

    private mutating func notify(_ channel: String, _ change: IncidentChange) -> ChannelNotification {
        lastNotified[channel] = change.at
        return ChannelNotification(channel: channel, change: change)
    }

    /// The channels of these routes without duplicates, in configuration order.
    private func unique(_ routes: [Route]) -> [String] {
        var seen: Set<String> = []
        return routes.map(\.channel).filter { seen.insert($0).inserted }
    }
}

extension IncidentChange {
    /// The end of an inhibition means nothing to channels that did not know of it, so it is reported as another kind.
    fileprivate func reported(as kind: Kind) -> IncidentChange { IncidentChange(kind, incident, at: at) }
}
