package enum StoreError: Error, Equatable, CustomStringConvertible, Sendable {
    case nameTaken(String)
    case noSuchNode(String)
    /// The disk is full; no write was attempted.
    case diskFull

    package var description: String {
        switch self {
        case .nameTaken(let name): "A node named \(name) already exists. `node renew \(name)` replaces its token."
        case .noSuchNode(let name): "There is no node \(name). `node list` lists the nodes."
        case .diskFull: "The disk is full."
        }
    }
}
