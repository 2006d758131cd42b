package import Wire

/// A node as people see it.
package struct NodeView: Codable, Equatable, Sendable {
    package enum State: String, CaseIterable, Codable, Sendable {
        case never, up, late, silent, stopped, maintenance
    }

    package var name: String
    package var region: String?
    /// Milliseconds between its pushes, where they are not the fleet's usual.
    package var every: Int64?
    package var city: String?
    package var latitude: Double?
    package var longitude: Double?
    package var state: State
    /// Of its open incidents that do not follow from another.
    package var worst: Severity?
    /// Unix milliseconds, as all times here.
    package var lastBeat: Int64?
    package var ping: Double?
    package var skew: Int64
    package var ill: String?
    /// Why its last push was not taken.
    package var refused: String?
    package var body: Heartbeat?

    var isJob: Bool { NodeName(name, every: every).isJob }
}

/// `GET /api/v1/fleet`
package struct FleetView: Codable, Equatable, Sendable {
    package struct Times: Codable, Equatable, Sendable {
        package var interval: Int64
        package var sev2: Int64
        package var sev1: Int64
    }

    package var now: Int64
    /// The monitor has just come, or doubts itself, and judges nobody.
    package var doubtful: Bool
    /// Why the monitor cannot do its own work; empty when all is well.
    package var ills: [String] = []
    package var timing: Times
    package var nodes: [NodeView]
    /// Open ones, newest first.
    package var incidents: [Incident]
    package var silences: [Silence]
    package var leases: [Lease]
    package var plans: [PlanView]
}

/// Planned work that begins by itself.
package struct PlanView: Codable, Equatable, Sendable {
    package var plan: Plan
    /// When it begins next, in Unix milliseconds; null while the machine does not know its time zone.
    package var next: Int64?
}

/// Where a node stands, from the fleet's inventory.
package struct NodePlace: Codable, Equatable, Sendable {
    package var name: String
    package var city: String?
    package var latitude: Double?
    package var longitude: Double?
    /// Where it serves: `https://…`, to ask it there.
    package var url: String?

    package init(name: String, city: String?, latitude: Double?, longitude: Double?, url: String? = nil) {
        self.name = name
        self.url = url
        self.city = city
        self.latitude = latitude
        self.longitude = longitude
    }
}

extension FleetJudge {
    /// The worst open incident of each node, leaving out those that follow from another.
    var worst: [String: Severity] {
        var worst: [String: Severity] = [:]
        for entry in book.open.values where entry.incident.hiddenBy == nil {
            guard let node = entry.incident.node else { continue }
            worst[node] = max(worst[node] ?? .warning, entry.incident.severity)
        }
        return worst
    }

    func state(of record: NodeRecord, at now: Moment) -> NodeView.State {
        if isInMaintenance(record.node.name, at: now) { return .maintenance }
        guard let lastBeat = record.lastBeat else { return .never }
        if record.isSilent { return .silent }
        if record.memory.isStopped { return .stopped }
        return now.steady - lastBeat > timing(of: record).late ? .late : .up
    }
}
