package import Wire

/// One thing that a beat can show to be wrong, as a value: what is measured, from where on it is how bad, and from
/// where on it is good again.
package struct Rule: Sendable {
    /// Stands in incident keys, silences and the API; never changes its meaning.
    package var name: String
    /// Larger is worse. Nil when the beat does not tell: then nothing changes.
    package var measure: @Sendable (Reading) -> Double?
    /// Mild to severe.
    package var levels: [Level]
    /// Milliseconds for which it must have held; a blip is no incident.
    package var holds: Int64
    /// While one of these is open for the same node, this one follows from it.
    package var followsFrom: [String]
    /// A human decides when it is over; a later good beat proves nothing.
    package var isLatched: Bool
    package var title: @Sendable (String) -> String
    package var detail: @Sendable (Reading) -> String

    package struct Level: Equatable, Sendable {
        package var severity: Severity
        /// At or above.
        package var from: Double
        /// Below this it is over. Not above `from`, so that a value on the edge does not flap.
        package var until: Double

        init(_ severity: Severity, from: Double, until: Double) {
            self.severity = severity
            self.from = from
            self.until = until
        }

        /// For what is so or is not.
        static func fact(_ severity: Severity) -> Level { Level(severity, from: 1, until: 1) }
    }

    /// What a rule may look at.
    package struct Reading: Sendable {
        package var beat: Beat
        /// The node's clock less ours, in milliseconds.
        package var skew: Int64
        /// The node's own share of errors over the last day or so.
        package var usualErrors: Double
        package var witness: AuditWitness.Finding?
        /// How many old beats of the node came again of late; three are counted.
        package var replays: Int
        package var fleet: FleetNorm

        package init(
            beat: Beat, skew: Int64 = 0, usualErrors: Double = 0, witness: AuditWitness.Finding? = nil,
            replays: Int = 0, fleet: FleetNorm = FleetNorm()
        ) {
            self.beat = beat
            self.skew = skew
            self.usualErrors = usualErrors
            self.witness = witness
            self.replays = replays
            self.fleet = fleet
        }
    }

    /// What most of the fleet runs. Nil where there is no majority.
    package struct FleetNorm: Equatable, Sendable {
        package var version: String?
        package var generation: Int?

        package init(version: String? = nil, generation: Int? = nil) {
            self.version = version
            self.generation = generation
        }
    }

    /// A rule about heartbeats that have a body.
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

    /// The severity of `value`, where `present` is the one so far.
    package func severity(of value: Double, present: Severity?) -> Severity? {
        levels.last { level in
            value >= level.from || value >= level.until && present.map { $0 >= level.severity } ?? false
        }?.severity
    }
}

/// One push, as far as it concerns the judgement.
package struct Beat: Equatable, Sendable {
    /// What the node knows to be wrong with itself; nil when it says that it is up.
    package var ill: String?
    /// How long the node's last push took, in milliseconds.
    package var ping: Double?
    /// Nil from whoever speaks only Uptime Kuma's protocol.
    package var body: Heartbeat?

    package init(ill: String? = nil, ping: Double? = nil, body: Heartbeat? = nil) {
        self.ill = ill
        self.ping = ping
        self.body = body
    }
}
