package import SQLite

/// Transactional outbox: queued notifications and escalation state. A notification stays until its recipient accepts
/// it.
///
/// A recipient is a channel, or one address of an e-mail channel, so that no recipient delays another.
///
/// Escalation changes and the notifications that follow from them are one transaction, computed on the writer's thread
/// from the rows themselves: there is no state in memory that a crash or a failed commit could leave inconsistent.
package final class Outbox: Sendable {
    let alerts: AlertDatabase
    /// The recipients of each channel.
    let recipients: [String: [String]]
    /// One for each recipient.
    private let wakeSignals: [String: WakeSignal]
    private let changed = WakeSignal()
    private let limit: Int
    private static let defaultLimit = 20_000

    /// - Parameters:
    ///   - alerts: The database.
    ///   - recipients: By channel. Rows of other channels are ignored.
    ///   - limit: Maximum number of queued notifications.
    package init(alerts: AlertDatabase, recipients: [String: [String]], limit: Int? = nil) {
        self.alerts = alerts
        self.recipients = recipients
        wakeSignals = Dictionary(recipients.values.joined().map { ($0, WakeSignal()) }) { first, _ in first }
        self.limit = limit ?? Self.defaultLimit
    }

    /// Signalled when a recipient has new notifications.
    func wakeSignal(of recipient: String) -> WakeSignal? { wakeSignals[recipient] }
    /// Signalled when the next escalation deadline has changed.
    var escalationChanged: WakeSignal { changed }

    /// Wakes all waiting tasks, so that they see the shutdown.
    func signalAll() {
        for wakeSignal in wakeSignals.values { wakeSignal.signal() }
        changed.signal()
    }

    package enum Selection: Sendable {
        case incidents(Set<Int64>)
        case due(Int64)
        /// All incidents: the routes may have changed.
        case all
    }

    /// Runs `decide` on the escalation state of some incidents, and stores the new state, its notifications and the
    /// writes of `record` in one transaction.
    package func escalate(
        _ selection: Selection, routes: [Route], now: Int64,
        record: @escaping @Sendable (Connection) throws -> Void = { _ in },
        decide: @escaping @Sendable (inout Escalation) -> [ChannelNotification]
    ) async throws {
        let (limit, recipients) = (limit, recipients)
        let (recipientsToWake, hasChanged) = try await alerts.write { database in
            try record(database)
            let before = try EscalationTable.load(selection, from: database)
            var escalation = before
            let notifications = decide(&escalation)
            try EscalationTable.save(
                escalation, replacing: before, routes: routes, includingUnchanged: selection.isAll, in: database)
            let recipientsToWake = try PendingNotificationTable.insert(
                notifications, for: recipients, at: now, limit: limit, in: database)
            return (recipientsToWake, escalation != before)
        }
        for recipient in recipientsToWake { wakeSignals[recipient]?.signal() }
        if hasChanged { changed.signal() }
    }

    /// The next deadline of escalation.
    package func nextDue() async throws -> Int64? {
        try await alerts.read { try EscalationTable.nextDue(in: $0) }
    }

    // MARK: Recipients

    /// Loads the queue of a recipient.
    package func queue(of recipient: String) async throws -> RecipientQueue {
        try await alerts.read { try RecipientQueueTable.load(recipient, from: $0) }
    }

    /// Removes delivered notifications.
    func markDelivered(_ updates: [ThreadUpdate], of recipient: String, at now: Int64) async throws {
        try await alerts.write { try RecipientQueueTable.markDelivered(updates, of: recipient, at: now, in: $0) }
    }

    /// Records a failed attempt and its next time.
    func reschedule(_ updates: [ThreadUpdate], of recipient: String, _ failure: FailedAttempt) async throws {
        try await alerts.write { try RecipientQueueTable.reschedule(updates, of: recipient, failure, in: $0) }
    }

    /// Delivery states by recipient.
    package func states() async throws -> [String: RecipientState] {
        try await alerts.read { try RecipientTable.all(in: $0) }
    }

    /// Moves rows of a channel to its recipients, and deletes rows of channels that are no longer configured.
    ///
    /// - Returns: The names of the deleted channels.
    package func migrateRecipients() async throws -> [String] {
        let recipients = recipients
        return try await alerts.write { try RecipientTable.migrateRecipients(recipients, in: $0) }
    }
}

extension Outbox.Selection {
    fileprivate var isAll: Bool {
        if case .all = self { true } else { false }
    }
}
