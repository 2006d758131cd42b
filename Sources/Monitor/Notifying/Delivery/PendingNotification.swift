/// One change that a recipient has not received yet. Times are Unix milliseconds.
package struct PendingNotification: Equatable, Sendable {
    package var id: Int64
    package var change: IncidentChange
    package var created: Int64
    /// Attempts since it was separated.
    package var attempts = 0
    /// Next attempt; set when the recipient did not accept this change.
    package var nextAttempt: Int64?

    package init(id: Int64, change: IncidentChange, created: Int64, attempts: Int = 0, nextAttempt: Int64? = nil) {
        self.id = id
        self.change = change
        self.created = created
        self.attempts = attempts
        self.nextAttempt = nextAttempt
    }
}
