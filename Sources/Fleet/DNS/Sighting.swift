/// What the monitor makes of a node.
package enum MonitorVerdict: Equatable, Sendable {
    /// It beats and has no complaint.
    case well
    /// It beats, and says that something is wrong with it.
    case ill(String)
    /// Not heard for so many seconds, and that is a SEV2: two beats are missing.
    case silent(Int64)
    /// The monitor cannot say, or will not.
    case unknown
}

/// What the node itself answers when it is asked from here.
package enum ProbeAnswer: Equatable, Sendable {
    case ready
    /// It answered, with another status than 200.
    case notReady(Int)
    case unreachable(String)
}

/// A node from two vantage points at one moment.
package struct Sighting: Equatable, Sendable {
    package var monitor: MonitorVerdict
    package var probe: ProbeAnswer

    package init(monitor: MonitorVerdict, probe: ProbeAnswer) {
        self.monitor = monitor
        self.probe = probe
    }

    package var isWell: Bool { monitor == .well && probe == .ready }

    /// Why it is ill, when both say so. One of them alone may be blind.
    ///
    /// A node that beats and complains must have told us the same itself: that it cannot be reached from here would be
    /// another matter, and possibly ours.
    package var agreedIllness: String? {
        switch (monitor, probe) {
        case (.silent(let seconds), .notReady(let status)):
            "the monitor has not heard it for \(seconds) s, and /readyz answers \(status)"
        case (.silent(let seconds), .unreachable(let reason)):
            "the monitor has not heard it for \(seconds) s, and /readyz cannot be reached: \(reason)"
        case (.ill(let complaint), .notReady(let status)):
            "it says \(complaint), and /readyz answers \(status)"
        case (.ill, .ready), (.ill, .unreachable), (.silent, .ready), (.well, _), (.unknown, _):
            nil
        }
    }
}
