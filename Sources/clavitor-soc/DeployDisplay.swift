import Console
import Fleet

/// Displays a running deploy: a changing line on a terminal, plain lines elsewhere, or events in JSON.
struct DeployDisplay: Sendable {
    enum Form: Sendable { case terminal, lines, json }

    let form: Form

    func show(_ event: DeployEvent) {
        switch form {
        case .json: try? Terminal.json(event, pretty: false)
        case .lines: if let text = Self.text(event) { Terminal.note(text) }
        case .terminal:
            guard let text = Self.text(event) else { return }
            if Self.isPersistent(event.kind) {
                Terminal.replaceLine(text + "\n")
            } else {
                Terminal.replaceLine("  " + text)
            }
        }
    }

    /// Whether the line stays on the screen.
    private static func isPersistent(_ kind: DeployEvent.Kind) -> Bool {
        switch kind {
        case .wave, .kept, .rolledBack, .failed, .stopping, .ended: true
        case .planned, .locking, .copying, .copied, .openingMaintenance, .maintenanceOpened, .activating, .checking,
            .confirming, .aborting,
            .closingMaintenance, .soaking, .recording, .unlocking:
            false
        }
    }

    static func text(_ event: DeployEvent) -> String? {
        let node = event.node ?? ""
        let text = event.text?.printable ?? ""
        return switch event.kind {
        case .planned: event.plan.map { "deploy \($0.id): \($0.steps.count) nodes in \($0.waves.count) waves" }
        case .locking: "taking the lock on the hub"
        case .copying: "\(node): copying"
        case .copied: "\(node): copied"
        case .wave: "wave \(text)"
        case .openingMaintenance: "\(node): opening a maintenance window at the monitor"
        case .maintenanceOpened: nil
        case .activating: "\(node): activating"
        case .checking: "\(node): running; waiting for it to become healthy"
        case .confirming: "\(node): confirming over a new connection"
        case .aborting: "\(node): rolling back: \(text)"
        case .kept: "\(node): keeps it"
        case .rolledBack: "\(text)"
        case .failed: "FAILED: \(text)"
        case .closingMaintenance: nil
        case .soaking: "soaking for \(text)"
        case .stopping: "stopping: \(text)"
        case .recording: nil
        case .unlocking: text.isEmpty ? nil : "the history could not be written: \(text)"
        case .ended: ending(event)
        }
    }

    private static func ending(_ event: DeployEvent) -> String {
        let details = event.text.map { ": \($0.printable)" } ?? ""
        return switch event.result {
        case .done?: "done" + details
        case .noChange?: "no change" + details
        case .rolledBack?: "rolled back" + details
        case .failed?: "failed" + details
        case .stopped?: "stopped; continue with: clavitor-soc deploy" + details
        case nil: "ended" + details
        }
    }
}
