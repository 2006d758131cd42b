/// A step that a deploy is about to take, or a result. Used for the journal, the display and `--json`.
package struct DeployEvent: Codable, Equatable, Sendable {
    package enum Kind: String, Codable, Sendable {
        /// The first event; has the plan.
        case planned
        case locking
        case copying
        case copied
        case wave
        /// A maintenance window is about to be opened, and was opened.
        case openingMaintenance = "leasing"
        case maintenanceOpened = "leased"
        case activating = "beginning"
        /// The new system runs and its health is checked; written once.
        case checking = "examining"
        case confirming
        case aborting
        case kept
        case rolledBack
        case failed
        case closingMaintenance = "releasing"
        case soaking
        case stopping
        case recording
        case unlocking
        /// The last event.
        case ended
    }

    package var kind: Kind
    /// Unix seconds.
    package var at: Int64
    package var node: String?
    /// Human-readable details.
    package var text: String?
    /// The id of the node's maintenance window at the monitor.
    package var maintenanceWindow: Int64?
    package var plan: DeployPlan?
    package var result: DeployResult?

    private enum CodingKeys: String, CodingKey {
        case kind, at, node, text, plan, result
        case maintenanceWindow = "lease"
    }

    package init(
        _ kind: Kind, at: Int64 = 0, node: String? = nil, text: String? = nil, maintenanceWindow: Int64? = nil,
        plan: DeployPlan? = nil, result: DeployResult? = nil
    ) {
        self.kind = kind
        self.at = at
        self.node = node
        self.text = text
        self.maintenanceWindow = maintenanceWindow
        self.plan = plan
        self.result = result
    }
}

/// The result of a deploy.
package enum DeployResult: String, Codable, Sendable {
    case done
    case noChange
    case rolledBack
    case failed
    /// By the operator, between two waves.
    case stopped
}

/// The progress of a deploy, reconstructed from its journal.
package struct DeployProgress: Equatable, Sendable {
    package var plan: DeployPlan?
    package var copied: Set<String> = []
    /// Nodes on which activation may have started.
    package var started: Set<String> = []
    /// Ids of opened maintenance windows, by node.
    package var maintenanceWindows: [String: Int64] = [:]
    /// The outcome of each finished node.
    package var outcomes: [String: DeployEvent.Kind] = [:]
    package var result: DeployResult?
    /// The first failure.
    package var why: String?
    package var isEnded = false

    package init() {}

    package init(_ events: [DeployEvent]) {
        for event in events { apply(event) }
    }

    package mutating func apply(_ event: DeployEvent) {
        switch event.kind {
        case .planned: plan = event.plan
        case .copied: if let node = event.node { copied.insert(node) }
        case .maintenanceOpened: if let node = event.node { maintenanceWindows[node] = event.maintenanceWindow }
        case .activating: if let node = event.node { started.insert(node) }
        case .kept: if let node = event.node { outcomes[node] = event.kind }
        case .stopping: why = why ?? event.text
        case .rolledBack, .failed:
            why = why ?? event.text
            if let node = event.node { outcomes[node] = event.kind }
        case .recording: result = event.result
        case .ended: isEnded = true
        case .locking, .copying, .wave, .openingMaintenance, .checking, .confirming, .aborting, .closingMaintenance,
            .soaking,
            .unlocking:
            break
        }
    }
}
