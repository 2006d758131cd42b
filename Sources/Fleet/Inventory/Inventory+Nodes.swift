package import Wire

extension Inventory {
    /// What `serve --nodes` takes and clients choose the nearest from; Nix renders the same.
    package var nodesBody: NodesBody {
        NodesBody(
            nodes: nodes.map {
                NodesBody.Node(
                    name: $0.name, city: $0.city, url: $0.url, latitude: $0.latitude, longitude: $0.longitude)
            })
    }

    /// The next address of an operator that nobody has.
    package var freeOperatorAddress: String? {
        guard let network = ManagementNetwork(fleet.network) else { return nil }
        let taken = Set(operators.map(\.address))
        return (200...254).lazy.map { "\(network.prefix).\($0)" }.first { !taken.contains($0) }
    }

    /// The next address of a spoke that nobody has.
    package var freeAddress: String? {
        guard let network = ManagementNetwork(fleet.network) else { return nil }
        let taken = Set(nodes.map(\.address))
        return (2...199).lazy.map { "\(network.prefix).\($0)" }.first { !taken.contains($0) }
    }
}
