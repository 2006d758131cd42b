import Monitor

/// A second implementation of escalation, second by second with counters instead of times.
struct EscalationModel {
    struct Notified: Hashable, CustomStringConvertible {
        let at: Int64
        let channel: String
        let kind: IncidentChange.Kind
        let incident: Int64
        var description: String { "\(at): \(channel) \(kind) \(incident)" }
    }

    private struct State {
        var incident: Incident
        var isAcknowledged = false
        /// Seconds for which each route has been waiting.
        var waited: [Int]
        /// Seconds since the last notification of each channel.
        var sinceTold: [String: Int] = [:]
        var believed: Severity
    }

    let routes: [Route]
    private(set) var notified: [Notified] = []
    private var open: [Int64: State] = [:]

    init(routes: [Route]) { self.routes = routes }

    mutating func second() {
        for id in open.keys {
            guard var state = open[id] else { continue }
            for (index, route) in routes.enumerated() {
                state.waited[index] = counts(route, state) ? state.waited[index] + 1 : 0
            }
            for channel in state.sinceTold.keys { state.sinceTold[channel, default: 0] += 1 }
            open[id] = state
        }
    }

    mutating func tick(_ now: Int64) {
        for id in open.keys.sorted() {
            guard var state = open[id] else { continue }
            var news: [String: IncidentChange.Kind] = [:]
            for (index, route) in routes.enumerated() where counts(route, state) {
                guard state.waited[index] >= Int(route.after) else { continue }
                if let since = state.sinceTold[route.channel] {
                    if route.resend > 0, since >= Int(route.resend) { news[route.channel] = .reminded }
                } else {
                    news[route.channel] = .escalated
                }
            }
            for (channel, kind) in news { notify(channel, kind, &state, now) }
            open[id] = state
        }
    }

    mutating func take(_ change: IncidentChange) {
        let (id, now) = (change.incident.id, change.at / 1_000)
        if change.kind == .resolved {
            guard let state = open.removeValue(forKey: id) else { return }
            for channel in state.sinceTold.keys {
                notified.append(Notified(at: now, channel: channel, kind: .resolved, incident: id))
            }
            return
        }
        if change.kind == .acknowledged {
            guard var state = open[id] else { return }
            state.isAcknowledged = true
            state.waited = routes.map { _ in 0 }
            if state.incident.inhibitedBy == nil {
                for channel in state.sinceTold.keys { notify(channel, .acknowledged, &state, now) }
            }
            open[id] = state
            return
        }
        guard var state = open[id] ?? begin(change) else { return }
        let was = state.incident
        state.incident = change.incident
        if change.incident.severity > was.severity { state.isAcknowledged = false }
        for (index, route) in routes.enumerated() where !counts(route, state) || was.inhibitedBy != nil {
            state.waited[index] = 0
        }
        if change.incident.inhibitedBy == nil {
            if state.believed != change.incident.severity {
                let isWorse = change.incident.severity > state.believed
                let kind = change.kind == .uninhibited ? isWorse ? .raised : .lowered : change.kind
                for channel in state.sinceTold.keys { notify(channel, kind, &state, now) }
                state.believed = change.incident.severity
            }
            for route in routes where route.after == 0 && matches(route, change.incident) {
                if change.kind == .lowered, state.isAcknowledged { continue }
                let kind = change.kind == .uninhibited ? .opened : change.kind
                if state.sinceTold[route.channel] == nil { notify(route.channel, kind, &state, now) }
            }
        }
        open[id] = state
    }

    private func begin(_ change: IncidentChange) -> State? {
        guard change.incident.inhibitedBy == nil else { return nil }
        // It may have been acknowledged while it was inhibited.
        return State(
            incident: change.incident, isAcknowledged: change.kind != .raised && change.incident.acknowledged != nil,
            waited: routes.map { _ in 0 }, believed: change.incident.severity)
    }

    private mutating func notify(_ channel: String, _ kind: IncidentChange.Kind, _ state: inout State, _ now: Int64) {
        notified.append(Notified(at: now, channel: channel, kind: kind, incident: state.incident.id))
        state.sinceTold[channel] = 0
    }

    private func counts(_ route: Route, _ state: State) -> Bool {
        !state.isAcknowledged && state.incident.inhibitedBy == nil && matches(route, state.incident)
    }

    private func matches(_ route: Route, _ incident: Incident) -> Bool {
        route.severities.contains(incident.severity)
            && (incident.region.map { route.regions?.contains($0) ?? true } ?? true)
    }
}
