/// Why a push is rejected.
package enum PushRejection: Error, Equatable, Sendable {
    case unknownToken
    case tooMany
    case otherNode(String)
    case replayed

    package var status: Int {
        switch self {
        case .unknownToken: 404
        case .tooMany: 429
        case .otherNode: 400
        case .replayed: 409
        }
    }

    package var text: String {
        switch self {
        case .unknownToken: "No node has this token."
        case .tooMany: "Too many pushes: at most five per second are accepted."
        case .otherNode(let name): "This token does not belong to \(name)."
        case .replayed: "This heartbeat, or a later one, was already received."
        }
    }
}
