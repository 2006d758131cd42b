package import Wire

extension Inventory {
    /// The list for `serve --nodes`, from which clients choose the nearest node. Nix renders the same list.
    package var nodesBody: NodesBody {
        NodesBody(
            nodes: nodes.map {
                NodesBody.Node(
                    name: $0.name, city: $0.city, url: $0.url, latitude: $0.latitude, longitude: $0.longitude)
            })
    }

    /// The next free address for an operator.
    package var freeOperatorAddress: String? {
        guard let network = ManagementNetwork(fleet.network) else { return nil }
        let taken = Set(operators.map(\.address))
        return (200...254).lazy.map { "\(network.prefix).\($0)" }.first { !taken.contains($0) }
    }

    /// The next free address for a spoke.
    package var freeAddress: String? {
        guard let network = ManagementNetwork(fleet.network) else { return nil }
        let taken = Set(nodes.map(\.address))
        return (2...199).lazy.map { "\(network.prefix).\($0)" }.first { !taken.contains($0) }
    }
}
