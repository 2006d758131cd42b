/// The state of a deploy on a node, as reported by the node.
package struct NodeState: Equatable, Sendable {
    package enum Phase: String, Sendable {
        /// The node has no such deploy.
        case none
        /// The activation has not started.
        case prepared
        /// The timer runs; the deploy is undecided.
        case pending
        /// Confirmed; the new system is not yet the boot default.
        case confirmed
        case kept
        /// Decided for a rollback; the old system does not run yet.
        case expired
        case restored
    }

    package var phase: Phase
    /// The running system.
    package var current: String
    package var target: String?
    package var previous: String?
    /// The exit status of the activation; nil while it runs.
    package var activated: Int?
    /// The exit status of the rollback.
    package var restored: Int?
    /// Seconds until the node rolls back.
    package var left: Int?
    /// The node rebooted since the deploy started: the timer is gone, and it booted the old system.
    package var isRebooted: Bool
    package var unit: String

    package init(_ phase: Phase, current: String, unit: String = "active") {
        self.phase = phase
        self.current = current
        self.unit = unit
        isRebooted = false
    }

    /// Parses the output of a deploy's scripts.
    ///
    /// - Parameters:
    ///   - text: The output.
    ///   - node: For the error.
    /// - Throws: `SSHError.invalidOutput`.
    package init(_ text: String, from node: String) throws(SSHError) {
        let lines = KeyValueLines(text)
        guard let phase = lines.text("phase").flatMap(Phase.init), let current = lines.text("current") else {
            throw .invalidOutput(node, "no phase and current system")
        }
        self.phase = phase
        self.current = current
        target = lines.text("target")
        previous = lines.text("previous")
        activated = lines.number("activated").map { Int(clamping: $0) }
        restored = lines.number("restored").map { Int(clamping: $0) }
        left = lines.number("left").map { Int(clamping: $0) }
        isRebooted = lines.text("rebooted") == "yes"
        unit = lines.text("unit") ?? "unknown"
    }
}
