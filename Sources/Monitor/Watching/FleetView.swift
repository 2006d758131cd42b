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
