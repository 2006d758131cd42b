/// How bad it is. Ordered: `warning < sev2 < sev1`.
package enum Severity: String, Codable, CaseIterable, Comparable, Sendable {
    /// Shown, and told where somebody asked for warnings. Nobody is woken.
    case warning
    /// Somebody should look now.
    case sev2
    /// Users are hurt, or will be soon.
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

/// Something that is wrong, from when it was first seen until it was over. Times are Unix milliseconds.
package struct Incident: Codable, Equatable, Identifiable, Sendable {
    package var id: Int64
    /// What is wrong with whom, such as `tokyo/silent`. No two open incidents have the same.
    package var key: String
    /// Nil when it concerns the fleet or the monitor itself.
    package var node: String?
    package var region: String?
    package var rule: String
    package var severity: Severity
    /// One line, such as "tokyo is silent".
    package var title: String
    /// What is known, with figures.
    package var detail: String
    package var opened: Int64
    package var resolved: Int64?
    /// Why it is over, where that is not because all is well.
    package var ending: String?
    package var acknowledged: Acknowledgement?
    /// The key of the incident that this one follows from: shown below it, and told to nobody.
    package var hiddenBy: String?

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

/// One line of an incident's timeline, and the reason to tell somebody.
package struct IncidentChange: Codable, Equatable, Sendable {
    package enum Kind: String, Codable, Sendable {
        case opened
        /// The severity rose.
        case raised
        /// The severity fell, and it is not over.
        case lowered
        case acknowledged
        /// It was told, and follows now from something else or is silenced.
        case hidden
        /// It was hidden, and stands for itself again.
        case shown
        case resolved
        /// Nobody has acknowledged it for as long as the escalation allows.
        case escalated
        /// Still open.
        case reminded
        /// It opened and ended before the channel could be told.
        case passed
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
