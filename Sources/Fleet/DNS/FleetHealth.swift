import Console

/// Source of the monitor's view of the nodes.
package protocol FleetHealth: Sendable {
    /// By name. Empty while the monitor's evaluation is paused or the monitor is isolated.
    func statuses() async throws -> [String: MonitorStatus]
}

/// The monitor's view over its API.
package struct MonitorHealth: FleetHealth {
    private let monitor: any FleetMonitor

    package init(_ monitor: any FleetMonitor) { self.monitor = monitor }

    package func statuses() async throws -> [String: MonitorStatus] { try await monitor.fleet().statuses }
}

extension FleetReport {
    package var statuses: [String: MonitorStatus] {
        // An isolated monitor misses heartbeats of healthy nodes.
        guard !isEvaluationPaused, !incidents.contains(where: { $0.rule == "cut-off" }) else { return [:] }
        return Dictionary(nodes.map { ($0.name, status(of: $0)) }, uniquingKeysWith: { first, _ in first })
    }

    /// A planned stop and maintenance suppress alarms, but the node does not serve either: after the time that is a SEV2
    /// for others it counts as silent.
    private func status(of node: Node) -> MonitorStatus {
        let silence = node.lastBeat.map { max(0, now - $0) }
        switch node.state {
        case "up": return node.healthProblem.map { .unhealthy($0.sanitizedLine()) } ?? .healthy
        case "silent": return .silent((silence ?? 0) / 1_000)
        case "stopped", "maintenance":
            guard let silence, silence > timing.sev2 else { return .unknown }
            return .silent(silence / 1_000)
        case "never": return .neverSeen
        default: return .unknown
        }
    }
}
