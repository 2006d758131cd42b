package import SQLite

/// What is to be told, and what escalation has to remember. A change stands here until a line took it.
///
/// A line is one addressee: a channel, or one recipient of an e-mail channel, so that nobody waits for anybody else.
///
/// What escalation decides and the tellings that follow from it are one transaction, computed on the writer's thread from
/// the rows themselves: there is no state in memory that a crash or a failed commit could leave behind.
package final class Outbox: Sendable {
    let ledger: Ledger
    /// The lines of each channel.
    let lines: [String: [String]]
    /// One for each line.
    private let bells: [String: Bell]
    private let changed = Bell()
    private let limit: Int
    private static let defaultLimit = 20_000

    /// - Parameters:
    ///   - ledger: Where it stands.
    ///   - lines: By channel. Rows of others wait for nobody.
    ///   - limit: Tellings in all.
    package init(ledger: Ledger, lines: [String: [String]], limit: Int? = nil) {
        self.ledger = ledger
        self.lines = lines
        bells = Dictionary(lines.values.joined().map { ($0, Bell()) }) { first, _ in first }
        self.limit = limit ?? Self.defaultLimit
    }

    /// Rings when there is something for the line.
    func bell(of line: String) -> Bell? { bells[line] }
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

    /// Lets `decide` change what is followed of some incidents, and keeps the change and its tellings together, and with
    /// them whatever `record` writes.
    package func escalate(
        _ selection: Selection, routes: [Route], now: Int64,
        record: @escaping @Sendable (Connection) throws -> Void = { _ in },
        decide: @escaping @Sendable (inout Escalation) -> [Telling]
    ) async throws {
        let (limit, lines) = (limit, lines)
        let (told, isOther) = try await ledger.write { database in
            try record(database)
            let before = try EscalationRows.load(selection, from: database)
            var escalation = before
            let tellings = decide(&escalation)
            try EscalationRows.keep(
                escalation, insteadOf: before, routes: routes, evenEqual: selection.isAll, in: database)
            let told = try TellingRows.insert(tellings, for: lines, at: now, limit: limit, in: database)
            return (told, escalation != before)
        }
        for line in told { bells[line]?.ring() }
        if isOther { changed.ring() }
    }

    /// When time alone makes something due.
    package func nextDue() async throws -> Int64? {
        try await ledger.read { try EscalationRows.nextDue(in: $0) }
    }

    // MARK: Lines

    /// All that decides what a line is told next.
    package func desk(of line: String) async throws -> Desk {
        try await ledger.read { try DeskRows.load(line, from: $0) }
    }

    /// A line took some tellings.
    func settle(_ parcels: [Parcel], of line: String, at now: Int64) async throws {
        try await ledger.write { try DeskRows.settle(parcels, of: line, at: now, in: $0) }
    }

    /// A line did not take some tellings.
    func postpone(_ parcels: [Parcel], of line: String, _ failure: LineFailure) async throws {
        try await ledger.write { try DeskRows.postpone(parcels, of: line, failure, in: $0) }
    }

    /// How the lines fare, by their name.
    package func states() async throws -> [String: LineState] {
        try await ledger.read { try LineRows.all(in: $0) }
    }

    /// Puts what stands here for a channel before its lines, and forgets what waits for channels that there are no longer.
    ///
    /// - Returns: The names that it forgot.
    package func adopt() async throws -> [String] {
        let lines = lines
        return try await ledger.write { try LineRows.adopt(lines, in: $0) }
    }
}

extension Outbox.Selection {
    fileprivate var isAll: Bool {
        if case .all = self { true } else { false }
    }
}
