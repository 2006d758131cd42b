import Console
import Fleet

/// A deploy as it happens: a line that changes on a terminal, plain lines elsewhere, or events in JSON.
struct DeployDisplay: Sendable {
    enum Form: Sendable { case terminal, lines, json }

    let form: Form

    func show(_ event: DeployEvent) {
        switch form {
        case .json: try? Terminal.json(event, pretty: false)
        case .lines: if let text = Self.text(event) { Terminal.note(text) }
        case .terminal:
            guard let text = Self.text(event) else { return }
            if Self.isLasting(event.kind) {
                Terminal.replaceLine(text + "\n")
            } else {
                Terminal.replaceLine("  " + text)
            }
        }
    }

    /// Stays on the screen.
    private static func isLasting(_ kind: DeployEvent.Kind) -> Bool {
        switch kind {
        case .wave, .kept, .rolledBack, .failed, .stopping, .ended: true
        case .planned, .locking, .copying, .copied, .leasing, .leased, .beginning, .examining, .confirming, .aborting,
            .releasing, .soaking, .recording, .unlocking:
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
        case .leasing: "\(node): opening a maintenance window at the monitor"
        case .leased: nil
        case .beginning: "\(node): activating"
        case .examining: "\(node): runs it; waiting for it to be well"
        case .confirming: "\(node): confirming over a new connection"
        case .aborting: "\(node): sending it back: \(text)"
        case .kept: "\(node): keeps it"
        case .rolledBack: "\(text)"
        case .failed: "FAILED: \(text)"
        case .releasing: nil
        case .soaking: "soaking for \(text)"
        case .stopping: "stopping: \(text)"
        case .recording: nil
        case .unlocking: text.isEmpty ? nil : "the history could not be written: \(text)"
        case .ended: ending(event)
        }
    }

    private static func ending(_ event: DeployEvent) -> String {
        let trouble = event.text.map { ": \($0.printable)" } ?? ""
        return switch event.result {
        case .done?: "done" + trouble
        case .noChange?: "no change" + trouble
        case .rolledBack?: "rolled back" + trouble
        case .failed?: "failed" + trouble
        case .stopped?: "stopped; go on with: clavitor-soc deploy" + trouble
        case nil: "ended" + trouble
        }
    }
}
