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
