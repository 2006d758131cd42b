/// An update of one thread for one recipient, and what to record when it was delivered.
package struct ThreadUpdate: Equatable, Sendable {
    package var thread: String
    package var changes: [IncidentChange] = []
    package var notifications: [Int64] = []
    package var notified: [Int64: NotifiedIncident] = [:]
    /// Incidents that resolve.
    package var over: [Int64] = []
    /// Whether no incident of the thread is open, and whether all open ones are acknowledged.
    package var isOver = false
    package var isAcknowledged = false

    package init(thread: String) {
        self.thread = thread
    }
}
