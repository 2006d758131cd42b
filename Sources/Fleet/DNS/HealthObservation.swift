/// What the monitor makes of a node.
package enum MonitorVerdict: Equatable, Sendable {
    /// It beats and has no complaint.
    case well
    /// It beats, and says that something is wrong with it.
    case ill(String)
    /// Not heard for so many seconds, and that is a SEV2: two beats are missing.
    case silent(Int64)
    /// It does not know the node, or never heard it.
    case stranger
    /// The monitor cannot say, or will not.
    case unknown
}

/// What the node itself answers when it is asked from here.
package enum ProbeAnswer: Equatable, Sendable {
    case ready
    /// Over IPv4 it is; over IPv6, where others are, it answers that.
    case readyByIPv4(String)
    /// It answered, with another status than 200.
    case notReady(Int)
    /// Somebody answered whom no client believes.
    case badCertificate(String)
    case unreachable(String)
}

extension ProbeAnswer {
    /// Clients can use it: those with IPv6 have IPv4 as well, or try it next.
    var isReady: Bool {
        switch self {
        case .ready, .readyByIPv4: true
        case .notReady, .badCertificate, .unreachable: false
        }
    }
}

/// A node from two vantage points at one moment.
package struct HealthObservation: Equatable, Sendable {
    package var monitor: MonitorVerdict
    package var probe: ProbeAnswer

    package init(monitor: MonitorVerdict, probe: ProbeAnswer) {
        self.monitor = monitor
        self.probe = probe
    }

    package var isWell: Bool { monitor == .well && probe.isReady }

    /// Whether clients can use it, whatever it complains of.
    package var isThere: Bool {
        switch monitor {
        case .well, .ill: probe.isReady
        case .silent, .stranger, .unknown: false
        }
    }

    /// Why it is ill, when both say so. One of them alone may be blind.
    ///
    /// A node that beats and complains must have told us the same itself: that it cannot be reached from here would be
    /// another matter, and possibly ours. A certificate that is not good is of its own telling.
    package var agreedIllness: String? {
        switch (monitor, probe) {
        case (.silent, .notReady), (.silent, .badCertificate), (.silent, .unreachable), (.ill, .notReady),
            (.ill, .badCertificate):
            words
        case (.ill, .ready), (.ill, .readyByIPv4), (.ill, .unreachable), (.silent, .ready), (.silent, .readyByIPv4),
            (.well, _), (.stranger, _), (.unknown, _):
            nil
        }
    }

    /// What a person should look at when it lasts: clients may not be able to use it, and the two do not agree on that.
    package var oddity: String? {
        agreedIllness == nil && (monitor == .stranger || probe != .ready) ? words : nil
    }

    private var words: String { "\(monitor), and \(probe)" }
}

extension MonitorVerdict: CustomStringConvertible {
    package var description: String {
        switch self {
        case .well: "the monitor finds it well"
        case .ill(let complaint): "it says \(complaint)"
        case .silent(let seconds): "the monitor has not heard it for \(seconds) s"
        case .stranger: "the monitor has never heard it"
        case .unknown: "the monitor cannot say how it is"
        }
    }
}

extension ProbeAnswer: CustomStringConvertible {
    package var description: String {
        switch self {
        case .ready: "/readyz answers 200"
        case .readyByIPv4(let reason): "it answers over IPv4 alone; over IPv6 \(reason)"
        case .notReady(let status): "/readyz answers \(status)"
        case .badCertificate(let reason): "no client believes it: \(reason)"
        case .unreachable(let reason): "/readyz cannot be reached: \(reason)"
        }
    }
}
