import Console

/// Where it is heard what the monitor makes of the nodes.
package protocol FleetHealth: Sendable {
    /// By name. Empty when the monitor judges nobody: it doubts itself, or it is cut off from the fleet.
    func verdicts() async throws -> [String: MonitorVerdict]
}

/// The monitor's word, over its API.
package struct MonitorHealth: FleetHealth {
    private let monitor: any FleetMonitor

    package init(_ monitor: any FleetMonitor) { self.monitor = monitor }

    package func verdicts() async throws -> [String: MonitorVerdict] { try await monitor.fleet().verdicts }
}

extension FleetReport {
    package var verdicts: [String: MonitorVerdict] {
        // Beats are missed at the hub then, whatever became of the nodes.
        guard !evaluationPaused, !incidents.contains(where: { $0.rule == "cut-off" }) else { return [:] }
        return Dictionary(nodes.map { ($0.name, verdict($0)) }, uniquingKeysWith: { first, _ in first })
    }

    /// A planned stop and maintenance excuse a node from alarms. They do not make it answer: after the time that is a
    /// SEV2 for others it counts as silent too.
    private func verdict(_ node: Node) -> MonitorVerdict {
        let silence = node.lastBeat.map { max(0, now - $0) }
        switch node.state {
        case "up": return node.healthProblem.map { .ill($0.sanitizedLine()) } ?? .well
        case "silent": return .silent((silence ?? 0) / 1_000)
        case "stopped", "maintenance":
            guard let silence, silence > timing.sev2 else { return .unknown }
            return .silent(silence / 1_000)
        case "never": return .stranger
        default: return .unknown
        }
    }
}
