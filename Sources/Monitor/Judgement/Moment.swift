/// An instant by both clocks: one that only goes forward, by which deadlines are kept, and the one that people read.
package struct Moment: Equatable, Sendable {
    /// Milliseconds since some start. Never set back, and goes on while the machine sleeps.
    package var steady: Int64
    /// Unix milliseconds. May be wrong, and may jump.
    package var wall: Int64

    package init(steady: Int64, wall: Int64) {
        self.steady = steady
        self.wall = wall
    }
}

/// How long silence is borne. In milliseconds.
package struct Timing: Equatable, Sendable {
    package var interval: Int64
    /// Two beats missed, and some seconds for the network.
    package var sev2: Int64
    package var sev1: Int64
    /// How long a node that said that it stops may be gone.
    package var plannedStop: Int64
    /// How long a node that was added may take until its first beat.
    package var firstBeat: Int64
    /// The longest that the monitor may go without looking before it doubts itself rather than the nodes.
    package var stall: Int64

    package static let standard = Timing(scale: 1)

    /// The fleet's times divided by `scale`, for trying things out.
    package init(scale: Double) {
        interval = Int64(30_000 / scale)
        sev2 = Int64(65_000 / scale)
        sev1 = Int64(300_000 / scale)
        plannedStop = Int64(600_000 / scale)
        firstBeat = Int64(600_000 / scale)
        stall = Int64(10_000 / scale)
    }

    /// The same for a node that beats at another interval. Nil: at the fleet's.
    func every(_ interval: Int64?) -> Timing {
        guard let interval else { return self }
        var timing = self
        timing.interval = interval
        timing.sev2 = 2 * interval + (sev2 - 2 * self.interval)
        timing.sev1 = max(sev1, 5 * interval)
        timing.plannedStop = max(plannedStop, timing.sev2)
        return timing
    }

    /// From here on a beat is overdue, which is shown and told to nobody.
    package var late: Int64 { interval + interval / 6 }
    /// Overdue, as counted when the question is whether all went silent together: their beats are up to one interval
    /// apart, so when the first has missed two, the last has just missed one.
    var missedOne: Int64 { interval + interval / 10 }
}
