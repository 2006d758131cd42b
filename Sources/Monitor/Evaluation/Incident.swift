/// Severity of an incident, ordered `warning < sev2 < sev1`.
package enum Severity: String, Codable, CaseIterable, Comparable, Sendable {
    /// Shown, and notified only on routes that include warnings. Pages no one.
    case warning
    /// Needs attention now.
    case sev2
    /// Users are affected, or will be soon.
    case sev1

    private var rank: Int {
        switch self {
        case .warning: 0
        case .sev2: 1
        case .sev1: 2
        }
    }

    package static func < (left: Severity, right: Severity) -> Bool { left.rank < right.rank }
}

/// A detected problem, from its first detection to its resolution. Times are Unix milliseconds.
package struct Incident: Codable, Equatable, Identifiable, Sendable {
    package var id: Int64
    /// Node and rule, such as `tokyo/silent`. Unique among open incidents.
    package var key: String
    /// Nil when it concerns the fleet or the monitor itself.
    package var node: String?
    package var region: String?
    package var rule: String
    package var severity: Severity
    /// One line, such as "tokyo is silent".
    package var title: String
    /// Details with values.
    package var detail: String
    package var opened: Int64
    package var resolved: Int64?
    /// Why it was resolved, when the condition did not clear by itself.
    package var ending: String?
    package var acknowledged: Acknowledgement?
    /// Key of the incident, silence or maintenance window that inhibits this one: it is shown below it and not
    /// notified.
    package var inhibitedBy: String?

    package struct Acknowledgement: Codable, Equatable, Sendable {
        package var by: String
        package var at: Int64
        package var note: String?

        package init(by: String, at: Int64, note: String? = nil) {
            self.by = by
            self.at = at
            self.note = note
        }
    }

    package init(
        id: Int64, key: String, node: String?, region: String?, rule: String, severity: Severity, title: String,
        detail: String, opened: Int64
    ) {
        self.id = id
        self.key = key
        self.node = node
        self.region = region
        self.rule = rule
        self.severity = severity
        self.title = title
        self.detail = detail
        self.opened = opened
    }
}

/// A change of an incident: an entry of its timeline, and the trigger of notifications.
package struct IncidentChange: Codable, Equatable, Sendable {
    package enum Kind: String, Codable, Sendable {
        case opened
        /// The severity rose.
        case raised
        /// The severity fell, and it is not over.
        case lowered
        case acknowledged
        /// It was notified, and is now inhibited.
        case inhibited = "hidden"
        /// It is no longer inhibited.
        case uninhibited = "shown"
        case resolved
        /// Not acknowledged within the route's delay.
        case escalated
        /// Still open after the reminder interval.
        case reminded
        /// It opened and resolved before the channel was notified.
        case openedAndResolved = "passed"
    }

    package var kind: Kind
    /// As it is after the change.
    package var incident: Incident
    package var at: Int64

    package init(_ kind: Kind, _ incident: Incident, at: Int64) {
        self.kind = kind
        self.incident = incident
        self.at = at
    }
}
