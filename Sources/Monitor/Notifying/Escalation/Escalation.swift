/// One channel is to be told one change.
package struct Telling: Equatable, Sendable {
    package var channel: String
    package var change: IncidentChange

    package init(channel: String, change: IncidentChange) {
        self.channel = channel
        self.change = change
    }
}

/// Decides who is told what, and when. Pure: changes and times go in, tellings come out. Times are Unix milliseconds.
///
/// - A route is taken when an incident has matched it for `after` seconds and nobody has acknowledged.
/// - Whoever was told of an incident is told what becomes of it, its end above all.
/// - An acknowledgement ends escalation and reminders until the severity rises.
/// - A hidden incident is told to nobody. Those who were told before it was hidden still hear of its end.
///
/// A change that was handed over before changes nothing, so the judgement may repeat itself after a crash.
package struct Escalation: Codable, Equatable, Sendable {
    /// Open incidents by id.
    package private(set) var followed: [Int64: Followed]

    package init(followed: [Int64: Followed] = [:]) {
        self.followed = followed
    }

    /// Takes what the judgement found, in its order.
    package mutating func apply(_ changes: [IncidentChange], routes: [Route]) -> [Telling] {
        changes.flatMap { apply($0, routes: routes) }
    }

    /// Does what has become due by the passing of time, those first who have waited longest.
    package mutating func tick(_ now: Int64, routes: [Route]) -> [Telling] {
        let due = followed.values.filter { ($0.nextDue(routes) ?? .max) <= now }
        return due.sorted { ($0.incident.opened, $0.incident.id) < ($1.incident.opened, $1.incident.id) }
            .flatMap { followed[$0.incident.id]?.advance(to: now, routes) ?? [] }
    }

    /// When `tick` will have something to do.
    package func nextDue(routes: [Route]) -> Int64? {
        followed.values.compactMap { $0.nextDue(routes) }.min()
    }

    private mutating func apply(_ change: IncidentChange, routes: [Route]) -> [Telling] {
        let id = change.incident.id
        if change.kind != .resolved, followed[id]?.isNew(change) == false { return [] }
        switch change.kind {
        case .opened, .raised, .lowered, .hidden, .shown:
            if var known = followed[id] {
                let tellings = known.follow(change, routes)
                followed[id] = known
                return tellings
            }
            // One that is hidden is as good as unknown, until a change says that it no longer is.
            guard change.incident.hiddenBy == nil else { return [] }
            var new = Followed(change)
            let tellings = new.tellThoseToldAtOnce(change, routes)
            followed[id] = new
            return tellings
        case .acknowledged:
            return followed[id]?.acknowledge(change) ?? []
        case .resolved:
            guard let known = followed.removeValue(forKey: id) else { return [] }
            return known.told.keys.sorted().map { Telling(channel: $0, change: change) }
        case .escalated, .reminded, .passed:
            // Made here, and taken from nobody.
            return []
        }
    }
}
