package import Wire

/// The monitor's report on the fleet: the members of `GET /api/v1/fleet` that this program needs, and no others, so that a
/// hub with a newer monitor can still be deployed to. Times are Unix milliseconds by the monitor's clock.
package struct FleetReport: Codable, Equatable, Sendable {
    package struct Timing: Codable, Equatable, Sendable {
        /// How long a node is silent before it is a SEV2, in milliseconds.
        package var sev2: Int64

        package init(sev2: Int64) { self.sev2 = sev2 }
    }

    package var now: Int64
    /// The monitor has just started, or its own state is unreliable.
    package var isEvaluationPaused: Bool
    /// Health problems of the monitor itself.
    package var healthProblems: [String]
    package var timing: Timing
    package var nodes: [Node]
    package var incidents: [Incident]
    package var maintenanceWindows: [MaintenanceWindow]

    private enum CodingKeys: String, CodingKey {
        case now, timing, nodes, incidents, healthProblems, maintenanceWindows
        case isEvaluationPaused = "evaluationPaused"
    }

    package struct Node: Codable, Equatable, Sendable {
        package var name: String
        /// `never`, `up`, `late`, `silent`, `stopped` or `maintenance`.
        package var state: String
        package var lastBeat: Int64?
        package var skew: Int64?
        /// The health problem that the node reports.
        package var healthProblem: String?
        package var body: Heartbeat?

        package init(
            name: String, state: String, lastBeat: Int64?, skew: Int64? = nil, healthProblem: String? = nil,
            body: Heartbeat?
        ) {
            self.name = name
            self.state = state
            self.lastBeat = lastBeat
            self.skew = skew
            self.healthProblem = healthProblem
            self.body = body
        }
    }

    package struct Incident: Codable, Equatable, Sendable {
        package var id: Int64
        package var key: String
        /// Nil if it concerns the fleet or the monitor itself.
        package var node: String?
        package var rule: String
        /// `warning`, `sev2` or `sev1`.
        package var severity: String
        package var title: String
        /// What inhibits its notifications, such as a silence.
        package var inhibitedBy: String?

        package init(
            id: Int64, key: String, node: String?, rule: String, severity: String, title: String,
            inhibitedBy: String? = nil
        ) {
            self.id = id
            self.key = key
            self.node = node
            self.rule = rule
            self.severity = severity
            self.title = title
            self.inhibitedBy = inhibitedBy
        }
    }

    /// Planned work: no new alarms are raised about these nodes until it ends.
    package struct MaintenanceWindow: Codable, Equatable, Sendable {
        package var id: Int64
        package var nodes: [String]
        package var reason: String
        package var until: Int64

        package init(id: Int64, nodes: [String], reason: String, until: Int64) {
            self.id = id
            self.nodes = nodes
            self.reason = reason
            self.until = until
        }
    }

    package init(
        now: Int64, isEvaluationPaused: Bool, healthProblems: [String] = [], timing: Timing, nodes: [Node],
        incidents: [Incident],
        maintenanceWindows: [MaintenanceWindow]
    ) {
        self.now = now
        self.isEvaluationPaused = isEvaluationPaused
        self.healthProblems = healthProblems
        self.timing = timing
        self.nodes = nodes
        self.incidents = incidents
        self.maintenanceWindows = maintenanceWindows
    }

    package func node(_ name: String) -> Node? { nodes.first { $0.name == name } }
}

/// The monitor's API as used by this program.
package protocol FleetMonitor: Sendable {
    /// - Throws: `MonitorError`, as do the others.
    func fleet() async throws -> FleetReport
    func openMaintenanceWindow(nodes: [String], reason: String, minutes: Int) async throws
        -> FleetReport.MaintenanceWindow
    /// Ending a window that has ended already is not an error.
    func closeMaintenanceWindow(_ id: Int64) async throws
}

package enum MonitorError: Error, Equatable, CustomStringConvertible, Sendable {
    case unreachable(String)
    case refused(Int, String)
    case badToken
    case invalidResponse(String)

    package var description: String {
        switch self {
        case .unreachable(let why): "The monitor cannot be reached: \(why)"
        case .refused(let status, let why): "The monitor answers \(status): \(why)"
        case .badToken:
            "The monitor rejects the token. Make one on the hub (clavitor-monitor token) and set its file in soc.toml: "
                + "monitor-token-file"
        case .invalidResponse(let why): "The monitor's response is invalid: \(why)"
        }
    }
}
