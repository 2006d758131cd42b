/// What a recipient was notified of about an open incident.
package struct NotifiedIncident: Equatable, Sendable {
    package var severity: Severity
    package var isAcknowledged: Bool
    /// Groups incidents that are one item to services that keep incidents open.
    package var thread: String
    package var cause: String
    /// Time of the last message about it.
    package var at: Int64

    package init(severity: Severity, isAcknowledged: Bool, thread: String, cause: String, at: Int64) {
        self.severity = severity
        self.isAcknowledged = isAcknowledged
        self.thread = thread
        self.cause = cause
        self.at = at
    }
}
