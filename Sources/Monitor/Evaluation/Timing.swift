/// Silence limits in milliseconds.
package struct Timing: Equatable, Sendable {
    package var interval: Int64
    /// Two missed heartbeats, and some seconds for the network.
    package var sev2: Int64
    package var sev1: Int64
    /// Limit after a planned stop.
    package var plannedStop: Int64
    /// Limit for the first heartbeat of a new node.
    package var firstBeat: Int64
    /// The longest gap between ticks before the monitor pauses evaluation instead of blaming nodes.
    package var stall: Int64

    package static let standard = Timing(scale: 1)

    /// The standard limits divided by `scale`, for tests and trials.
    package init(scale: Double) {
        interval = Int64(30_000 / scale)
        sev2 = Int64(65_000 / scale)
        sev1 = Int64(300_000 / scale)
        plannedStop = Int64(600_000 / scale)
        firstBeat = Int64(600_000 / scale)
        stall = Int64(10_000 / scale)
    }

    /// Limits for a node with its own heartbeat interval. Nil: the fleet's interval.
    func every(_ interval: Int64?) -> Timing {
        guard let interval else { return self }
        var timing = self
        timing.interval = interval
        timing.sev2 = 2 * interval + (sev2 - 2 * self.interval)
        timing.sev1 = max(sev1, 5 * interval)
        timing.plannedStop = max(plannedStop, timing.sev2)
        return timing
    }

    /// From here on a heartbeat counts as late, which is shown and not notified.
    package var late: Int64 { interval + interval / 6 }
    /// Limit for one missed heartbeat, used to detect isolation: nodes' heartbeats are up to one interval apart, so
    /// when the first node has missed two, the last has just missed one.
    var missedOne: Int64 { interval + interval / 10 }
}
