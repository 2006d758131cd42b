/// Decides which channels are notified, and when. Pure: changes and times go in, notifications come out. Times are Unix
/// milliseconds.
///
/// - A route applies when an incident has matched it for `after` seconds without acknowledgement.
/// - A channel that was notified of an incident is notified of its later changes, above all its resolution.
/// - An acknowledgement ends escalation and reminders until the severity rises.
/// - An inhibited incident is not notified. Channels that were notified before still receive its resolution.
///
/// Applying a change a second time has no effect, so that the evaluator may repeat changes after a crash.
package struct Escalation: Codable, Equatable, Sendable {
    /// Open incidents by id.
    package private(set) var tracked: [Int64: TrackedIncident]

    package init(tracked: [Int64: TrackedIncident] = [:]) {
        self.tracked = tracked
    }

    /// Applies incident changes in their order.
    package mutating func apply(_ changes: [IncidentChange], routes: [Route]) -> [ChannelNotification] {
        changes.flatMap { apply($0, routes: routes) }
    }

    /// Applies what is due by time, the longest waiting incidents first.
    package mutating func tick(_ now: Int64, routes: [Route]) -> [ChannelNotification] {
        let due = tracked.values.filter { ($0.nextDue(routes) ?? .max) <= now }
        return due.sorted { ($0.incident.opened, $0.incident.id) < ($1.incident.opened, $1.incident.id) }
            .flatMap { tracked[$0.incident.id]?.advance(to: now, routes) ?? [] }
    }

    /// The next time at which `tick` has an effect.
    package func nextDue(routes: [Route]) -> Int64? {
        tracked.values.compactMap { $0.nextDue(routes) }.min()
    }

    private mutating func apply(_ change: IncidentChange, routes: [Route]) -> [ChannelNotification] {
        let id = change.incident.id
        if change.kind != .resolved, tracked[id]?.isNew(change) == false { return [] }
        switch change.kind {
        case .opened, .raised, .lowered, .inhibited, .uninhibited:
            if var known = tracked[id] {
                let notifications = known.update(change, routes)
                tracked[id] = known
                return notifications
            }
            // An inhibited incident is not tracked until its inhibition ends.
            guard change.incident.inhibitedBy == nil else { return [] }
            var new = TrackedIncident(change)
            let notifications = new.notifyImmediateRoutes(change, routes)
            tracked[id] = new
            return notifications
        case .acknowledged:
            return tracked[id]?.acknowledge(change) ?? []
        case .resolved:
            guard let known = tracked.removeValue(forKey: id) else { return [] }
            return known.lastNotified.keys.sorted().map { ChannelNotification(channel: $0, change: change) }
        case .escalated, .reminded, .openedAndResolved:
            // These are created here, and ignored as input.
            return []
        }
    }
}
