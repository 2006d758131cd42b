/// An open incident with what its notification needs to know of its past.
package struct Followed: Codable, Equatable, Sendable {
    package private(set) var incident: Incident
    /// When each channel was last told something.
    package private(set) var told: [String: Int64] = [:]
    /// The severity that those who were told believe.
    private var toldSeverity: Severity
    /// From when on nobody has acknowledged.
    private var since: Int64
    /// When it last ceased to be of a severity.
    private var left: [Severity: Int64] = [:]
    private var isAcknowledged: Bool
    /// The last changes that were taken.
    private var recent: [Mark] = []

    private struct Mark: Codable, Equatable, Sendable {
        let kind: IncidentChange.Kind
        let at: Int64
    }

    /// Begins to follow.
    init(_ change: IncidentChange) {
        incident = change.incident
        toldSeverity = change.incident.severity
        since = change.at
        isAcknowledged = change.kind != .raised && change.incident.acknowledged != nil
        recent = [Mark(kind: change.kind, at: change.at)]
    }

    private enum CodingKeys: String, CodingKey {
        case incident, told, since, left, recent
        case toldSeverity = "told-severity"
        case isAcknowledged = "is-acknowledged"
    }

    // MARK: Changes

    /// Whether a change is not one of the last few again. Times alone would not tell: clocks are set back.
    mutating func isNew(_ change: IncidentChange) -> Bool {
        let mark = Mark(kind: change.kind, at: change.at)
        guard !recent.contains(mark) else { return false }
        recent = recent.suffix(7) + [mark]
        return true
    }

    /// Takes a change of severity, or that it is hidden or no longer hidden.
    mutating func follow(_ change: IncidentChange, _ routes: [Route]) -> [Telling] {
        let was = incident
        incident = change.incident
        if incident.severity != was.severity { left[was.severity] = change.at }
        if incident.severity > was.severity {
            if isAcknowledged { since = change.at }
            isAcknowledged = false
        }
        guard incident.hiddenBy == nil else { return [] }
        if was.hiddenBy != nil { since = max(since, change.at) }
        var tellings: [Telling] = []
        if incident.severity != toldSeverity {
            // It may have been hidden while it changed: what is told is what those who were told do not know.
            let wasRaised = incident.severity > toldSeverity
            toldSeverity = incident.severity
            tellings = tellAll(change.kind == .shown ? change.told(as: wasRaised ? .raised : .lowered) : change)
        }
        return tellings + tellThoseToldAtOnce(change, routes)
    }

    /// Routes without a delay.
    mutating func tellThoseToldAtOnce(_ change: IncidentChange, _ routes: [Route]) -> [Telling] {
        guard change.kind != .lowered || !isAcknowledged else { return [] }
        let news = change.kind == .shown ? change.told(as: .opened) : change
        return unique(routes.filter { $0.after == 0 && told[$0.channel] == nil && $0.matches(incident) }).map {
            tell($0, news)
        }
    }

    mutating func acknowledge(_ change: IncidentChange) -> [Telling] {
        let isKnown = isAcknowledged && incident.acknowledged == change.incident.acknowledged
        incident.acknowledged = change.incident.acknowledged
        isAcknowledged = true
        guard !isKnown, incident.hiddenBy == nil else { return [] }
        return tellAll(change)
    }

    // MARK: Time

    /// Takes the routes whose time has come, and reminds.
    mutating func advance(to now: Int64, _ routes: [Route]) -> [Telling] {
        guard isWaitedFor else { return [] }
        let taken = routes.filter { $0.matches(incident) && start(of: $0) <= now }
        // Before anybody is told, or whoever is told now were reminded too.
        let reminded = unique(taken.filter { reminder($0).map { $0 <= now } ?? false })
        let escalated = unique(taken.filter { told[$0.channel] == nil })
        return escalated.map { tell($0, IncidentChange(.escalated, incident, at: now)) }
            + reminded.map { tell($0, IncidentChange(.reminded, incident, at: now)) }
    }

    /// The earliest time at which `advance` does something.
    func nextDue(_ routes: [Route]) -> Int64? {
        guard isWaitedFor else { return nil }
        return routes.filter { $0.matches(incident) }.compactMap { route in
            told[route.channel] == nil ? start(of: route) : reminder(route)
        }.min()
    }

    private var isWaitedFor: Bool { !isAcknowledged && incident.hiddenBy == nil }

    /// When a route that matches is taken: so long after it began to match, or after nobody had acknowledged any more.
    private func start(of route: Route) -> Int64 {
        let others = left.filter { !route.severities.contains($0.key) }.values
        return max(since, others.max() ?? since) + route.after * 1_000
    }

    /// Nil when the route reminds nobody, or not yet.
    private func reminder(_ route: Route) -> Int64? {
        guard route.resend > 0, let last = told[route.channel] else { return nil }
        return max(last + route.resend * 1_000, start(of: route))
    }

    // MARK: Telling

    private mutating func tellAll(_ change: IncidentChange) -> [Telling] {
        let channels = told.keys.sorted()
        for channel in channels { told[channel] = change.at }
        return channels.map { Telling(channel: $0, change: change) }
    }

    private mutating func tell(_ channel: String, _ change: IncidentChange) -> Telling {
        told[channel] = change.at
        return Telling(channel: channel, change: change)
    }

    /// The channels of some routes, each once, in the order of the configuration.
    private func unique(_ routes: [Route]) -> [String] {
        var seen: Set<String> = []
        return routes.map(\.channel).filter { seen.insert($0).inserted }
    }
}

extension IncidentChange {
    /// That something is shown again says nothing to those who never knew that it was hidden.
    fileprivate func told(as kind: Kind) -> IncidentChange { IncidentChange(kind, incident, at: at) }
}
