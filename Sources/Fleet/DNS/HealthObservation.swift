/// The monitor's view of a node.
package enum MonitorStatus: Equatable, Sendable {
    /// Heartbeats arrive and report no health problem.
    case healthy
    /// Heartbeats arrive and report a health problem.
    case unhealthy(String)
    /// No heartbeat for this many seconds, long enough for a SEV2: two heartbeats are missing.
    case silent(Int64)
    /// The monitor does not know the node, or never received a heartbeat from it.
    case neverSeen
    /// The monitor cannot tell, or does not evaluate.
    case unknown
}

/// The result of probing a node from this machine.
package enum ProbeResult: Equatable, Sendable {
    case ready
    /// Ready over IPv4; over IPv6, where other nodes respond, it failed with this reason.
    case readyByIPv4(String)
    /// It responded with another status than 200.
    case notReady(Int)
    /// The certificate is invalid.
    case badCertificate(String)
    case unreachable(String)
}

extension ProbeResult {
    /// Whether clients can use the node: those with IPv6 have IPv4 as well, or fall back to it.
    var isReady: Bool {
        switch self {
        case .ready, .readyByIPv4: true
        case .notReady, .badCertificate, .unreachable: false
        }
    }
}

/// A node's health from two vantage points at one moment.
package struct HealthObservation: Equatable, Sendable {
    package var monitor: MonitorStatus
    package var probe: ProbeResult

    package init(monitor: MonitorStatus, probe: ProbeResult) {
        self.monitor = monitor
        self.probe = probe
    }

    package var isHealthy: Bool { monitor == .healthy && probe.isReady }

    /// Whether clients can use the node, even if it reports a health problem.
    package var isUsable: Bool {
        switch monitor {
        case .healthy, .unhealthy: probe.isReady
        case .silent, .neverSeen, .unknown: false
        }
    }

    /// Why the node has failed, if both vantage points agree. One alone may have lost its own connection.
    ///
    /// A node whose heartbeats report a problem must also respond to the probe with a failure: being unreachable from here
    /// would be another problem, possibly this machine's. An invalid certificate is the node's own response.
    package var agreedFailure: String? {
        switch (monitor, probe) {
        case (.silent, .notReady), (.silent, .badCertificate), (.silent, .unreachable), (.unhealthy, .notReady),
            (.unhealthy, .badCertificate):
            summary
        case (.unhealthy, .ready), (.unhealthy, .readyByIPv4), (.unhealthy, .unreachable), (.silent, .ready),
            (.silent, .readyByIPv4), (.healthy, _), (.neverSeen, _), (.unknown, _):
            nil
        }
    }

    /// A lasting state that an operator should check: clients may not be able to use the node, and the vantage points
    /// disagree.
    package var discrepancy: String? {
        agreedFailure == nil && (monitor == .neverSeen || probe != .ready) ? summary : nil
    }

    private var summary: String { "\(monitor), and \(probe)" }
}

extension MonitorStatus: CustomStringConvertible {
    package var description: String {
        switch self {
        case .healthy: "the monitor considers it healthy"
        case .unhealthy(let problem): "it reports \(problem)"
        case .silent(let seconds): "the monitor has received no heartbeat for \(seconds) s"
        case .neverSeen: "the monitor has never received a heartbeat"
        case .unknown: "the monitor does not know its state"
        }
    }
}

extension ProbeResult: CustomStringConvertible {
    package var description: String {
        switch self {
        case .ready: "/readyz answers 200"
        case .readyByIPv4(let reason): "it answers over IPv4 alone; over IPv6 \(reason)"
        case .notReady(let status): "/readyz answers \(status)"
        case .badCertificate(let reason): "its certificate is invalid: \(reason)"
        case .unreachable(let reason): "/readyz cannot be reached: \(reason)"
        }
    }
}
