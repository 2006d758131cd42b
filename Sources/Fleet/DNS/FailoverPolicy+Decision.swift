extension FailoverPolicy {
    /// A change of the nearest name, or a report, with its reason.
    package enum Decision: Equatable, Sendable {
        /// `lastOf`: The region that has no node in the name any more.
        case withdraw(String, because: String, lastOf: String?)
        case restore(String, RestoreReason)
        /// It is unhealthy and stays, because the limits allow no further withdrawal.
        case keep(String, because: String)
        /// Monitor and probe disagree; nothing is changed.
        case discrepancy(String, String, seconds: Int64)
        /// A node of the inventory that was never healthy.
        case await(String)

        package enum RestoreReason: Equatable, Sendable {
            case healthy(seconds: Int64)
            /// Before its hold-down time ends, so that an unhealthy one can leave.
            case replacement(for: String, seconds: Int64)
            case limits
            /// A newcomer is healthy.
            case firstHealthy
            /// Its manual override ended.
            case overrideEnded
        }

        package var node: String {
            switch self {
            case .withdraw(let node, _, _), .restore(let node, _), .keep(let node, _), .discrepancy(let node, _, _),
                .await(let node):
                node
            }
        }

        /// The name of the decision in JSON output.
        package var kind: String {
            switch self {
            case .withdraw: "withdraw"
            case .restore: "put-back"
            case .keep: "keep"
            case .discrepancy: "discrepancy"
            case .await: "await"
            }
        }
    }
}

extension FailoverPolicy.Decision: CustomStringConvertible {
    package var description: String {
        switch self {
        case .withdraw(let node, let reason, nil):
            "\(node) leaves the nearest name: \(reason)."
        case .withdraw(let node, let reason, let region?):
            """
            \(node) leaves the nearest name: \(reason). It was the last of \(region): new clients there are sent further \
            away, and the vaults on its nodes cannot be reached until they recover.
            """
        case .restore(let node, .healthy(let seconds)):
            "\(node) is back in the nearest name: healthy for \(seconds) s."
        case .restore(let node, .replacement(let unhealthy, let seconds)):
            """
            \(node) is back in the nearest name after only \(seconds) s of health, so that \(unhealthy), which is unhealthy, \
            can leave.
            """
        case .restore(let node, .overrideEnded):
            "\(node) is back in the nearest name: its manual override has ended."
        case .restore(let node, .firstHealthy):
            "\(node) is added to the nearest name: it is healthy for the first time."
        case .await(let node):
            "\(node) is new, and is added to the nearest name when it is healthy for the first time."
        case .restore(let node, .limits):
            "\(node) is back in the nearest name: too few nodes would be left in it otherwise."
        case .keep(let node, let reason):
            """
            \(node) stays in the nearest name although it is unhealthy: \(reason). Without it fewer than the floor, or than \
            half of all nodes, would be left.
            """
        case .discrepancy(let node, let discrepancy, let seconds):
            """
            \(node) is in the nearest name and needs attention: for \(seconds) s, \(discrepancy). Nothing was changed.
            """
        }
    }
}
