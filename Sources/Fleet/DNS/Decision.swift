extension FailoverPolicy {
    /// What is to be done with a node, and why.
    package enum Decision: Equatable, Sendable {
        /// `lastOf`: the region that has no node in the name any more.
        case withdraw(String, because: String, lastOf: String?)
        case putBack(String, Return)
        /// It is ill and stays: one more would be too many.
        case keep(String, because: String)
        /// Nothing is done: a person should look at it.
        case wonder(String, at: String, seconds: Int64)
        /// A node of the inventory that was never well.
        case await(String)

        package enum Return: Equatable, Sendable {
            case well(seconds: Int64)
            /// Before its time, so that one that is ill can leave.
            case exchange(for: String, seconds: Int64)
            case limits
            /// It was never in.
            case first
            /// A person had taken it out, and that is over.
            case hand
        }

        package var node: String {
            switch self {
            case .withdraw(let node, _, _), .putBack(let node, _), .keep(let node, _), .wonder(let node, _, _),
                .await(let node):
                node
            }
        }

        /// For programs.
        package var kind: String {
            switch self {
            case .withdraw: "withdraw"
            case .putBack: "put-back"
            case .keep: "keep"
            case .wonder: "wonder"
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
            away, and the vaults on its nodes cannot be reached until they are well.
            """
        case .putBack(let node, .well(let seconds)):
            "\(node) is back in the nearest name: well for \(seconds) s."
        case .putBack(let node, .exchange(let ill, let seconds)):
            """
            \(node) is back in the nearest name: well for \(seconds) s only, but \(ill), which is ill, could not leave \
            otherwise.
            """
        case .putBack(let node, .hand):
            "\(node) is back in the nearest name: it was taken out by hand, and that is over."
        case .putBack(let node, .first):
            "\(node) comes into the nearest name: it is well for the first time."
        case .await(let node):
            "\(node) is new, and comes into the nearest name when it is well for the first time."
        case .putBack(let node, .limits):
            "\(node) is back in the nearest name: too few nodes would be left in it otherwise."
        case .keep(let node, let reason):
            """
            \(node) stays in the nearest name although it is ill: \(reason). One more would be below the floor, or more \
            than half of all nodes.
            """
        case .wonder(let node, let oddity, let seconds):
            """
            \(node) is in the nearest name, and somebody should look at it: for \(seconds) s, \(oddity). Nothing was \
            changed.
            """
        }
    }
}
