extension Incident {
    /// Group key: one rule in one region.
    package var cause: String { "\(rule)/\(region ?? "")" }
}

/// Decides what one recipient receives next, and when. Pure.
package struct RecipientQueue: Equatable, Sendable {
    package var state: RecipientState
    /// Pending changes, oldest first.
    package var waiting: [PendingNotification] = []
    package var notified: [Int64: NotifiedIncident] = [:]
    /// Time of the last message about each cause.
    package var lastNotifiedByCause: [String: Int64] = [:]
    /// Rows that cannot be decoded.
    package var unreadable: [Int64] = []

    package init(state: RecipientState = RecipientState()) {
        self.state = state
    }

    /// Notifications to send, and the earliest time to send them.
    package struct ScheduledBatch: Equatable, Sendable {
        package var at: Int64
        package var notifications: [PendingNotification]
        /// Whether these are sent separately, because the recipient did not accept them together with others.
        package var isSeparate: Bool
    }

    /// Returns the next batch; nil when nothing is pending.
    package func nextBatch(_ grouping: Grouping, now: Int64) -> ScheduledBatch? {
        // Changes of one incident keep their order, or a resolution would arrive before the opening.
        let separate = Set(waiting.filter { $0.nextAttempt != nil }.map(\.change.incident.id))
        let regularBatch = regularBatch(waiting.filter { !separate.contains($0.change.incident.id) }, grouping, now)
        let separateBatch = separateBatch(waiting.filter { separate.contains($0.change.incident.id) }, now)
        guard let regularBatch else { return separateBatch }
        guard let separateBatch else { return regularBatch }
        return max(regularBatch.at, now) <= max(separateBatch.at, now) ? regularBatch : separateBatch
    }

    private func regularBatch(_ waiting: [PendingNotification], _ grouping: Grouping, _ now: Int64) -> ScheduledBatch? {
        var first: [String: Int64] = [:]
        for notification in waiting {
            let cause = notification.change.incident.cause
            first[cause] = min(first[cause] ?? .max, notification.created, now)
        }
        let due = first.map { cause, first in
            max(first + grouping.wait, lastNotifiedByCause[cause].map { min($0, now) + grouping.interval } ?? .min)
        }
        // Changes that are not yet due are included, and no two messages are closer than the wait.
        guard let due = due.min() else { return nil }
        let at = max(due, state.sent.map { min($0, now) + grouping.wait } ?? .min, Self.bounded(state.nextAttempt, now))
        return ScheduledBatch(at: at, notifications: waiting, isSeparate: false)
    }

    /// One incident at a time, to find the faulty one.
    private func separateBatch(_ waiting: [PendingNotification], _ now: Int64) -> ScheduledBatch? {
        func due(_ notification: PendingNotification) -> Int64 { Self.bounded(notification.nextAttempt, now) }
        let held = waiting.filter { $0.nextAttempt != nil }
        guard let next = held.min(by: { (due($0), $0.attempts, $0.id) < (due($1), $1.attempts, $1.id) }) else {
            return nil
        }
        let incident = next.change.incident.id
        return ScheduledBatch(
            at: due(next), notifications: waiting.filter { $0.change.incident.id == incident }, isSeparate: true)
    }

    /// Limits a retry time that is further ahead than any backoff: it was set before the clock was set back.
    private static func bounded(_ next: Int64?, _ now: Int64) -> Int64 {
        guard let next else { return .min }
        return next > now + Int64(RetryPolicy.longest * 1_000) ? now : next
    }

    // MARK: Composition

    /// Composes what the recipient needs to hear now: the present state of each incident, in one update per thread.
    package func updates(of notifications: [PendingNotification], _ grouping: Grouping, now: Int64) -> [ThreadUpdate] {
        var order: [Int64] = []
        var byIncident: [Int64: [PendingNotification]] = [:]
        for notification in notifications {
            let id = notification.change.incident.id
            if byIncident[id] == nil { order.append(id) }
            byIncident[id, default: []].append(notification)
        }
        var updates: [ThreadUpdate] = []
        for id in order {
            guard let notifications = byIncident[id], let last = notifications.last?.change else { continue }
            let previous = notified[id]
            let thread = previous?.thread ?? thread(of: last.incident, updates, grouping, now: now)
            let index = updates.firstIndex { $0.thread == thread } ?? updates.endIndex
            if index == updates.endIndex { updates.append(ThreadUpdate(thread: thread)) }
            updates[index].notifications += notifications.map(\.id)
            updates[index].changes += Self.newChanges(notifications.map(\.change), previous)
            if last.kind == .resolved {
                updates[index].over.append(id)
            } else {
                updates[index].notified[id] = NotifiedIncident(
                    severity: last.incident.severity, isAcknowledged: last.incident.acknowledged != nil,
                    thread: thread, cause: last.incident.cause, at: now)
            }
        }
        for index in updates.indices { rest(of: &updates[index]) }
        return updates
    }

    /// An incident that opens within the interval of a similar one joins its thread; later it starts a new one, which
    /// notifies again.
    private func thread(of incident: Incident, _ updates: [ThreadUpdate], _ grouping: Grouping, now: Int64) -> String {
        for update in updates where update.notified.values.contains(where: { $0.cause == incident.cause }) {
            return update.thread
        }
        let fresh = now - grouping.interval - 2 * grouping.wait
        let like = notified.values.filter { $0.cause == incident.cause && $0.at >= fresh && $0.at <= now }
        return like.max { ($0.at, $0.thread) < ($1.at, $1.thread) }?.thread ?? "\(incident.id)/\(incident.opened)"
    }

    /// Sets the state of the thread after this update is delivered.
    private func rest(of update: inout ThreadUpdate) {
        var members = notified.filter { $0.value.thread == update.thread && !update.over.contains($0.key) }
        members.merge(update.notified) { _, new in new }
        update.isOver = members.isEmpty
        update.isAcknowledged = !members.isEmpty && members.values.allSatisfy(\.isAcknowledged)
    }

    /// Reduces changes of one incident to what the recipient does not know yet.
    private static func newChanges(_ changes: [IncidentChange], _ previous: NotifiedIncident?) -> [IncidentChange] {
        guard let first = changes.first, let last = changes.last else { return [] }
        guard let previous else {
            let begins = changes.contains { $0.kind.isAlarm || $0.kind == .lowered }
            if last.kind == .resolved {
                return begins ? [IncidentChange(.openedAndResolved, last.incident, at: last.at)] : []
            }
            let kind = first.kind.isAlarm && first.kind != .reminded ? first.kind : .opened
            return [IncidentChange(kind, last.incident, at: first.at)] + acknowledgement(changes)
        }
        if last.kind == .resolved { return [last] }
        if last.incident.severity != previous.severity {
            let at = changes.last { $0.kind == .raised || $0.kind == .lowered }?.at ?? last.at
            let isWorse = last.incident.severity > previous.severity
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
