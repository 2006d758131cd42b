/// How far a deploy is on a node, by the node's own word.
package struct NodeState: Equatable, Sendable {
    package enum Phase: String, Sendable {
        /// It knows nothing of the deploy.
        case none
        /// Nothing runs yet.
        case prepared
        /// The timer runs: nobody has decided.
        case pending
        /// Decided for the new system, which is not yet the boot default.
        case confirmed
        case kept
        /// Decided for the old system, which does not yet run again.
        case expired
        case restored
    }

    package var phase: Phase
    /// What runs.
    package var current: String
    package var target: String?
    package var previous: String?
    /// The status of the activation; nil while it runs.
    package var activated: Int?
    /// The status of going back.
    package var restored: Int?
    /// Seconds until the node goes back.
    package var left: Int?
    /// Since the deploy began: the timer is gone, and the old system is the boot default.
    package var isRebooted: Bool
    package var unit: String

    package init(_ phase: Phase, current: String, unit: String = "active") {
        self.phase = phase
        self.current = current
        self.unit = unit
        isRebooted = false
    }

    /// Reads what the scripts of a deploy print.
    ///
    /// - Parameters:
    ///   - text: All of it.
    ///   - node: For the error.
    /// - Throws: `SSHError.notUnderstood`.
    package init(_ text: String, from node: String) throws(SSHError) {
        let lines = NodeLines(text)
        guard let phase = lines.text("phase").flatMap(Phase.init), let current = lines.text("current") else {
            throw .notUnderstood(node, "no phase and current system")
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
