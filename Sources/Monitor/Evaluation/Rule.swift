import Wire

/// A rule on a heartbeat value: what is measured, and the thresholds at which each severity begins and ends.
package struct Rule: Sendable {
    /// Part of incident keys, silences and the API; its meaning never changes.
    package var name: String
    /// The measured value; larger is worse. Nil when the heartbeat does not carry it, which changes nothing.
    package var measure: @Sendable (Reading) -> Double?
    /// Thresholds, from mild to severe.
    package var levels: [Level]
    /// Milliseconds for which the condition must hold before an incident opens.
    package var holds: Int64
    /// Rules that inhibit this one while they are open for the same node.
    package var followsFrom: [String]
    /// Whether only an operator can resolve it; later good heartbeats prove nothing.
    package var isLatched: Bool
    package var title: @Sendable (String) -> String
    package var detail: @Sendable (Reading) -> String

    package struct Level: Equatable, Sendable {
        package var severity: Severity
        /// The incident opens at or above this value.
        package var from: Double
        /// The incident resolves below this value. Not above `from`, which prevents flapping at the threshold.
        package var until: Double

        init(_ severity: Severity, from: Double, until: Double) {
            self.severity = severity
            self.from = from
            self.until = until
        }

        /// A threshold for a Boolean condition.
        static func fact(_ severity: Severity) -> Level { Level(severity, from: 1, until: 1) }
    }

    /// The input of a rule.
    package struct Reading: Sendable {
        package var beat: Beat
        /// The node's clock minus the monitor's, in milliseconds.
        package var skew: Int64
        /// The node's usual error ratio, averaged over about a day.
        package var usualErrors: Double
        package var auditFinding: AuditCheckpoint.Finding?
        /// Heartbeats in a row that did not prove the monitor's checkpoint.
        package var unproven: Int
        /// Whether a heartbeat came that was not signed with the node's key.
        package var hasOtherKey: Bool
        /// Recent replays of the node's heartbeats; at most three are counted.
        package var replays: Int
        package var fleet: FleetNorm

        package init(
            beat: Beat, skew: Int64 = 0, usualErrors: Double = 0, auditFinding: AuditCheckpoint.Finding? = nil,
            unproven: Int = 0, hasOtherKey: Bool = false, replays: Int = 0, fleet: FleetNorm = FleetNorm()
        ) {
            self.beat = beat
            self.skew = skew
            self.usualErrors = usualErrors
            self.auditFinding = auditFinding
            self.unproven = unproven
            self.hasOtherKey = hasOtherKey
            self.replays = replays
            self.fleet = fleet
        }
    }

    /// Version and generation of the fleet's majority. Nil where there is none.
    package struct FleetNorm: Equatable, Sendable {
        package var version: String?
        package var generation: Int?

        package init(version: String? = nil, generation: Int? = nil) {
            self.version = version
            self.generation = generation
        }
    }

    /// Creates a rule on heartbeats that have a body.
    init(
        _ name: String, _ levels: [Level], holds: Int64 = 0, followsFrom: [String] = [], isLatched: Bool = false,
        title: @escaping @Sendable (String) -> String,
        detail: @escaping @Sendable (Heartbeat, Reading) -> String,
        measure: @escaping @Sendable (Heartbeat, Reading) -> Double?
    ) {
        self.name = name
        self.levels = levels
        self.holds = holds
        self.followsFrom = followsFrom
        self.isLatched = isLatched
        self.title = title
        self.measure = { reading in reading.beat.body.flatMap { measure($0, reading) } }
        self.detail = { reading in reading.beat.body.map { detail($0, reading) } ?? "" }
    }

    static func named(_ name: String) -> Rule? { table.first { $0.name == name } }

    /// The severity of `value`. `present` is the severity of the open incident, if any.
    package func severity(of value: Double, present: Severity?) -> Severity? {
        levels.last { level in
            value >= level.from || value >= level.until && present.map { $0 >= level.severity } ?? false
        }?.severity
    }
}
