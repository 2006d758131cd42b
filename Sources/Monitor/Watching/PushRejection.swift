/// Why a push is rejected.
package enum PushRejection: Error, Equatable, Sendable {
    case unknownToken
    case tooMany
    case otherNode(String)
    case replayed
    case badSignature
    /// Signed under another key than the node's, or not at all.
    case otherKey

    /// `reception`: Other than accepted.
    init(_ reception: FleetEvaluator.Reception) {
        self =
            switch reception {
            case .replayed: .replayed
            case .otherKey: .otherKey
            case .accepted, .unknownNode: .unknownToken
            }
    }

    package var status: Int {
        switch self {
        case .unknownToken: 404
        case .tooMany: 429
        case .otherNode: 400
        case .replayed: 409
        case .badSignature, .otherKey: 403
        }
    }

    package var text: String {
        switch self {
        case .unknownToken: "No node has this token."
        case .tooMany: "Too many pushes: at most five per second are accepted."
        case .otherNode(let name): "This token does not belong to \(name)."
        case .badSignature: "The heartbeat's signature is not that of its key."
        case .otherKey: "The heartbeat is not signed with the key that this node's heartbeats have had."
        case .replayed: "This heartbeat, or a later one, was already received."
        }
    }
}
