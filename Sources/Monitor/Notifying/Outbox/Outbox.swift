package import SQLite

/// What is to be told, and what escalation has to remember, in SQLite. A message stands here until a channel took it.
///
/// What escalation decides and the messages that follow from it are one transaction, computed on the writer's thread from
/// the rows themselves: there is no state in memory that a crash or a failed commit could leave behind.
package final class Outbox: Sendable {
    let database: Database
    /// One for each channel that there is.
    private let bells: [String: Bell]
    private let changed = Bell()
    private let limit: Int
    private static let defaultLimit = 100_000

    /// - Parameters:
    ///   - database: Has the tables of `migration`.
    ///   - channels: Their names. Rows of others wait for nobody.
    ///   - limit: Rows in all.
    package init(database: Database, channels: [String], limit: Int? = nil) {
        self.database = database
        bells = Dictionary(uniqueKeysWithValues: Set(channels).map { ($0, Bell()) })
        self.limit = limit ?? Self.defaultLimit
    }

    package var channels: [String] { bells.keys.sorted() }

    /// Rings when there is a message for the channel.
    func bell(of channel: String) -> Bell? { bells[channel] }
    /// Rings when something else has become due next for escalation.
    var escalationChanged: Bell { changed }

    /// Wakes everybody who waits, so that they see that the program stops.
    func ringAll() {
        for bell in bells.values { bell.ring() }
        changed.ring()
    }

    package enum Selection: Sendable {
        case incidents(Set<Int64>)
        case due(Int64)
        /// When the routes may have changed.
        case all
    }

    /// Lets `decide` change what is followed of some incidents, and keeps the change and its messages together, and with
    /// them whatever `record` writes.
    package func escalate(
        _ selection: Selection, routes: [Route], now: Int64,
        record: @escaping @Sendable (Connection) throws -> Void = { _ in },
        decide: @escaping @Sendable (inout Escalation) -> [Message]
    ) async throws {
        let (limit, known) = (limit, Set(bells.keys))
        let (told, isOther) = try await database.write { database in
            try record(database)
            let before = try EscalationRows.load(selection, from: database)
            var escalation = before
            let messages = decide(&escalation).filter { known.contains($0.channel) }
            try EscalationRows.keep(
                escalation, insteadOf: before, routes: routes, evenEqual: selection.isAll, in: database)
            try MessageRows.insert(messages, at: now, limit: limit, in: database)
            return (Set(messages.map(\.channel)), escalation != before)
        }
        for channel in told { bells[channel]?.ring() }
        if isOther { changed.ring() }
    }

    /// When time alone makes something due.
    package func nextDue() async throws -> Int64? {
        try await database.read { try EscalationRows.nextDue(in: $0) }
    }
}

extension Outbox.Selection {
    fileprivate var isAll: Bool {
        if case .all = self { true } else { false }
    }
}
