/// A line of a node's audit chain that was proven: what a restored log must continue.
package struct AuditPoint: Codable, Equatable, Sendable {
    /// Of the monitor, since 1970.
    package var day: Int64
    package var sequence: Int64
    /// base64url.
    package var head: String

    package init(day: Int64, sequence: Int64, head: String) {
        self.day = day
        self.sequence = sequence
        self.head = head
    }
}

extension [AuditPoint] {
    /// Days of which each has its own point; after them each week has one.
    private static let daily: Int64 = 14
    /// Days after which a point is forgotten: older backups are not restored without an operator who accepts it.
    private static let kept: Int64 = 92

    /// Adds the day's first point, and forgets what is too old.
    package mutating func add(_ checkpoint: AuditCheckpoint, day: Int64) {
        guard last.map({ $0.day < day && $0.sequence < checkpoint.sequence }) ?? true else { return }
        append(AuditPoint(day: day, sequence: checkpoint.sequence, head: checkpoint.head))
        var weeks: Set<Int64> = []
        self = filter { point in
            let age = day - point.day
            return age < Self.daily || age < Self.kept && weeks.insert(point.day / 7).inserted
        }
    }
}

/// A log in a new epoch that has not yet been shown to continue a line that the monitor knows.
package struct PendingRestore: Codable, Equatable, Sendable {
    package var head: AuditCheckpoint
    /// The restored log differs at this line, and so at all later ones.
    package var differsAt: Int64?
}
