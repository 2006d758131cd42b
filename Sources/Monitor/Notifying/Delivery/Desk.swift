/// One change that a line has not been told yet. Times are Unix milliseconds.
package struct Waiting: Equatable, Sendable {
    package var id: Int64
    package var change: IncidentChange
    package var created: Int64
    /// Since it was set aside.
    package var attempts = 0
    /// Set when it was what the line could not take.
    package var nextAttempt: Int64?

    package init(id: Int64, change: IncidentChange, created: Int64, attempts: Int = 0, nextAttempt: Int64? = nil) {
        self.id = id
        self.change = change
        self.created = created
        self.attempts = attempts
        self.nextAttempt = nextAttempt
    }
}

/// What a line knows of an incident whose end it has not heard.
package struct Heard: Equatable, Sendable {
    package var severity: Severity
    package var isAcknowledged: Bool
    /// The same for incidents that are one thing to services that keep things open.
    package var thread: String
    package var cause: String
    /// When it last heard of it.
    package var at: Int64

    package init(severity: Severity, isAcknowledged: Bool, thread: String, cause: String, at: Int64) {
        self.severity = severity
        self.isAcknowledged = isAcknowledged
        self.thread = thread
        self.cause = cause
        self.at = at
    }
}

/// How long a message waits for others to join it, as in Prometheus's Alertmanager. Milliseconds.
package struct Grouping: Equatable, Sendable {
    /// From the first change of a cause to the message.
    package var wait: Int64
    /// Between two messages about one cause.
    package var interval: Int64

    package static let standard = Grouping(wait: 10_000, interval: 60_000)

    package init(wait: Int64, interval: Int64) {
        self.wait = wait
        self.interval = interval
    }
}

extension Incident {
    /// What is told together: one rule in one region.
    package var cause: String { "\(rule)/\(region ?? "")" }
}

/// Decides what one line is told next, and when. Pure.
package struct Desk: Equatable, Sendable {
    package var state: LineState
    /// The oldest first.
    package var waiting: [Waiting] = []
    package var heard: [Int64: Heard] = [:]
    /// When the line was last told of each cause.
    package var toldCauses: [String: Int64] = [:]
    /// Rows that no change can be made of.
    package var unreadable: [Int64] = []

    package init(state: LineState = LineState()) {
        self.state = state
    }

    /// What is to be sent, and from when on.
    package struct Plan: Equatable, Sendable {
        package var at: Int64
        package var tellings: [Waiting]
        /// Whether these are tried by themselves, because the line could not take them among others.
        package var isAside: Bool
    }

    /// Nil when nothing waits.
    package func plan(_ grouping: Grouping, now: Int64) -> Plan? {
        // About one incident nothing passes anything, or an end would come before its beginning.
        let aside = Set(waiting.filter { $0.nextAttempt != nil }.map(\.change.incident.id))
        let usual = usual(waiting.filter { !aside.contains($0.change.incident.id) }, grouping, now)
        let alone = alone(waiting.filter { aside.contains($0.change.incident.id) }, now)
        guard let usual else { return alone }
        guard let alone else { return usual }
        return max(usual.at, now) <= max(alone.at, now) ? usual : alone
    }

    private func usual(_ waiting: [Waiting], _ grouping: Grouping, _ now: Int64) -> Plan? {
        var first: [String: Int64] = [:]
        for telling in waiting {
            let cause = telling.change.incident.cause
            first[cause] = min(first[cause] ?? .max, telling.created, now)
        }
        let due = first.map { cause, first in
            max(first + grouping.wait, toldCauses[cause].map { min($0, now) + grouping.interval } ?? .min)
        }
        // What is not due yet goes along, and no two messages come closer than the wait.
        guard let due = due.min() else { return nil }
        let at = max(due, state.sent.map { min($0, now) + grouping.wait } ?? .min, Self.bounded(state.nextAttempt, now))
        return Plan(at: at, tellings: waiting, isAside: false)
    }

    /// One incident at a time, so that the one that is at fault is found.
    private func alone(_ waiting: [Waiting], _ now: Int64) -> Plan? {
        func due(_ telling: Waiting) -> Int64 { Self.bounded(telling.nextAttempt, now) }
        let held = waiting.filter { $0.nextAttempt != nil }
        guard let next = held.min(by: { (due($0), $0.attempts, $0.id) < (due($1), $1.attempts, $1.id) }) else {
            return nil
        }
        let incident = next.change.incident.id
        return Plan(at: due(next), tellings: waiting.filter { $0.change.incident.id == incident }, isAside: true)
    }

    /// A retry that lies further ahead than any is ever put was put there by a clock that has been set back since.
    private static func bounded(_ next: Int64?, _ now: Int64) -> Int64 {
        guard let next else { return .min }
        return next > now + Int64(RetryRule.longest * 1_000) ? now : next
    }

    // MARK: Composing

    /// Makes of tellings what the line has to hear now: the present state of each incident, in one parcel for each thread.
    package func parcels(of tellings: [Waiting], _ grouping: Grouping, now: Int64) -> [Parcel] {
        var order: [Int64] = []
        var byIncident: [Int64: [Waiting]] = [:]
        for telling in tellings {
            let id = telling.change.incident.id
            if byIncident[id] == nil { order.append(id) }
            byIncident[id, default: []].append(telling)
        }
        var parcels: [Parcel] = []
        for id in order {
            guard let tellings = byIncident[id], let last = tellings.last?.change else { continue }
            let known = heard[id]
            let thread = known?.thread ?? thread(of: last.incident, parcels, grouping, now: now)
            let index = parcels.firstIndex { $0.thread == thread } ?? parcels.endIndex
            if index == parcels.endIndex { parcels.append(Parcel(thread: thread)) }
            parcels[index].tellings += tellings.map(\.id)
            parcels[index].changes += Self.news(tellings.map(\.change), known)
            if last.kind == .resolved {
                parcels[index].over.append(id)
            } else {
                parcels[index].heard[id] = Heard(
                    severity: last.incident.severity, isAcknowledged: last.incident.acknowledged != nil,
                    thread: thread, cause: last.incident.cause, at: now)
            }
        }
        for index in parcels.indices { rest(of: &parcels[index]) }
        return parcels
    }

    /// What begins within the interval of its like is one with it; later it is a matter of its own, which wakes people.
    private func thread(of incident: Incident, _ parcels: [Parcel], _ grouping: Grouping, now: Int64) -> String {
        for parcel in parcels where parcel.heard.values.contains(where: { $0.cause == incident.cause }) {
            return parcel.thread
        }
        let fresh = now - grouping.interval - 2 * grouping.wait
        let like = heard.values.filter { $0.cause == incident.cause && $0.at >= fresh && $0.at <= now }
        return like.max { ($0.at, $0.thread) < ($1.at, $1.thread) }?.thread ?? "\(incident.id)/\(incident.opened)"
    }

    /// How the thread stands when the parcel has been taken.
    private func rest(of parcel: inout Parcel) {
        var members = heard.filter { $0.value.thread == parcel.thread && !parcel.over.contains($0.key) }
        members.merge(parcel.heard) { _, new in new }
        parcel.isOver = members.isEmpty
        parcel.isAcknowledged = !members.isEmpty && members.values.allSatisfy(\.isAcknowledged)
    }

    /// What changes of one incident amount to for somebody who knows it so.
    private static func news(_ changes: [IncidentChange], _ known: Heard?) -> [IncidentChange] {
        guard let first = changes.first, let last = changes.last else { return [] }
        guard let known else {
            let begins = changes.contains { $0.kind.isAlarm || $0.kind == .lowered }
            if last.kind == .resolved {
                return begins ? [IncidentChange(.passed, last.incident, at: last.at)] : []
            }
            let kind = first.kind.isAlarm && first.kind != .reminded ? first.kind : .opened
            return [IncidentChange(kind, last.incident, at: first.at)] + acknowledgement(changes)
        }
        if last.kind == .resolved { return [last] }
        if last.incident.severity != known.severity {
            let at = changes.last { $0.kind == .raised || $0.kind == .lowered }?.at ?? last.at
            let isWorse = last.incident.severity > known.severity
            return [IncidentChange(isWorse ? .raised : .lowered, last.incident, at: at)] + acknowledgement(changes)
        }
        let acknowledgement = acknowledgement(changes)
        if !acknowledgement.isEmpty { return acknowledgement }
        return changes.last { $0.kind == .reminded || $0.kind == .escalated }.map { [$0] } ?? []
    }

    private static func acknowledgement(_ changes: [IncidentChange]) -> [IncidentChange] {
        guard let last = changes.last, last.incident.acknowledged != nil else { return [] }
        return changes.last { $0.kind == .acknowledged }.map { [$0] } ?? []
    }
}

/// What one line hears about one thread, and what is to be kept once it has.
package struct Parcel: Equatable, Sendable {
    package var thread: String
    package var changes: [IncidentChange] = []
    package var tellings: [Int64] = []
    package var heard: [Int64: Heard] = [:]
    /// Incidents that end.
    package var over: [Int64] = []
    /// Whether nothing of the thread is open any more, and whether all that is has been taken on.
    package var isOver = false
    package var isAcknowledged = false

    package init(thread: String) {
        self.thread = thread
    }
}
