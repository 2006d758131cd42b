package import Wire

/// A node as operators see it.
package struct NodeView: Codable, Equatable, Sendable {
    package enum State: String, CaseIterable, Codable, Sendable {
        case never, up, late, silent, stopped, maintenance
    }

    package var name: String
    package var region: String?
    /// Milliseconds between its pushes, where they differ from the fleet's interval.
    package var every: Int64?
    package var city: String?
    package var latitude: Double?
    package var longitude: Double?
    package var state: State
    /// Highest severity of its open incidents that are not inhibited.
    package var worst: Severity?
    /// Unix milliseconds, as all times here.
    package var lastBeat: Int64?
    package var ping: Double?
    package var skew: Int64
    package var healthProblem: String?
    /// Why its last push was rejected.
    package var refused: String?
    package var body: Heartbeat?

    var isJob: Bool { MonitoredNode(name, every: every).isJob }
}

/// `GET /api/v1/fleet`
package struct FleetView: Codable, Equatable, Sendable {
    package struct Times: Codable, Equatable, Sendable {
        package var interval: Int64
        package var sev2: Int64
        package var sev1: Int64
    }

    package var now: Int64
    /// Evaluation is paused: the monitor has just started, stalled, or does not trust its clock.
    package var evaluationPaused: Bool
    /// Why the monitor cannot do its own work; empty when it is healthy.
    package var healthProblems: [String] = []
    package var timing: Times
    package var nodes: [NodeView]
    /// Open incidents, newest first.
    package var incidents: [Incident]
    package var silences: [Silence]
    package var maintenanceWindows: [MaintenanceWindow]
    package var plans: [PlanView]
}

/// A maintenance plan and its next start.
package struct PlanView: Codable, Equatable, Sendable {
    package var plan: MaintenancePlan
    /// Next start in Unix milliseconds; null when the machine does not know the time zone.
    package var next: Int64?
}

/// A node's location and address, from the fleet's inventory.
package struct NodeLocation: Codable, Equatable, Sendable {
    package var name: String
    package var city: String?
    package var latitude: Double?
    package var longitude: Double?
    /// Address at which it serves and can be probed, `https://…`.
    package var url: String?

    package init(name: String, city: String?, latitude: Double?, longitude: Double?, url: String? = nil) {
        self.name = name
        self.url = url
        self.city = city
        self.latitude = latitude
        self.longitude = longitude
    }
}

extension FleetEvaluator {
    /// The highest severity of each node's open incidents, without inhibited ones.
    var worst: [String: Severity] {
        var worst: [String: Severity] = [:]
        for entry in incidents.open.values where entry.incident.inhibitedBy == nil {
            guard let node = entry.incident.node else { continue }
            worst[node] = max(worst[node] ?? .warning, entry.incident.severity)
        }
        return worst
    }

    func state(of record: NodeRecord, at now: ClockReading) -> NodeView.State {
        if isInMaintenance(record.node.name, at: now) { return .maintenance }
        guard let lastBeat = record.lastBeat else { return .never }
        if record.isSilent { return .silent }
        if record.persisted.isStopped { return .stopped }
        return now.monotonic - lastBeat > timing(of: record).late ? .late : .up
    }
}
