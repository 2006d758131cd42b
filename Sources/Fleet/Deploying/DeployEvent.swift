/// Something that a deploy is about to do, or has found. Journal, display and `--json` get the same.
package struct DeployEvent: Codable, Equatable, Sendable {
    package enum Kind: String, Codable, Sendable {
        /// Has the plan; always the first.
        case planned
        case locking
        case copying
        case copied
        case wave
        /// A maintenance lease is about to be opened, and was.
        case leasing
        case leased
        case beginning
        /// Said once, when the new system runs and is being looked at.
        case examining
        case confirming
        case aborting
        case kept
        case rolledBack
        case failed
        case releasing
        case soaking
        case stopping
        case recording
        case unlocking
        /// Always the last.
        case ended
    }

    package var kind: Kind
    /// Unix seconds.
    package var at: Int64
    package var node: String?
    /// For people.
    package var text: String?
    package var lease: Int64?
    package var plan: DeployPlan?
    package var result: DeployResult?

    package init(
        _ kind: Kind, at: Int64 = 0, node: String? = nil, text: String? = nil, lease: Int64? = nil,
        plan: DeployPlan? = nil, result: DeployResult? = nil
    ) {
        self.kind = kind
        self.at = at
        self.node = node
        self.text = text
        self.lease = lease
        self.plan = plan
        self.result = result
    }
}

/// How a deploy ended.
package enum DeployResult: String, Codable, Sendable {
    case done
    case noChange
    case rolledBack
    case failed
    /// By the operator, between two waves.
    case stopped
}

/// What a journal says of a deploy so far.
package struct DeployProgress: Equatable, Sendable {
    package var plan: DeployPlan?
    package var copied: Set<String> = []
    /// Nodes that may have been touched.
    package var begun: Set<String> = []
    /// Open ones, by node.
    package var leases: [String: Int64] = [:]
    /// Nodes that are decided, with what came of them.
    package var outcomes: [String: DeployEvent.Kind] = [:]
    package var result: DeployResult?
    /// The first thing that went wrong.
    package var why: String?
    package var isEnded = false

    package init() {}

    package init(_ events: [DeployEvent]) {
        for event in events { take(event) }
    }

    package mutating func take(_ event: DeployEvent) {
        switch event.kind {
        case .planned: plan = event.plan
        case .copied: if let node = event.node { copied.insert(node) }
        case .leased: if let node = event.node { leases[node] = event.lease }
        case .beginning: if let node = event.node { begun.insert(node) }
        case .kept: if let node = event.node { outcomes[node] = event.kind }
        case .stopping: why = why ?? event.text
        case .rolledBack, .failed:
            why = why ?? event.text
            if let node = event.node { outcomes[node] = event.kind }
        case .recording: result = event.result
        case .ended: isEnded = true
        case .locking, .copying, .wave, .leasing, .examining, .confirming, .aborting, .releasing, .soaking,
            .unlocking:
            break
        }
    }
}
