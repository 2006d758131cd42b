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

    /// What a machine cannot do without and nobody has made yet. The hub needs every key, a spoke its own and the hub's.
    package func missing(for node: Node) -> [String] {
        let peers = node.role == .hub ? nodes : [node] + (hub.map { [$0] } ?? [])
        let keyless = peers.filter(\.publicKey.isEmpty).map(\.name)
        var missing: [String] = []
        if !keyless.isEmpty {
            missing.append(
                "no WireGuard key in nix/fleet.toml for \(keyless.joined(separator: ", ")): "
                    + "`clavitor-soc keys generate` makes them")
        }
        if let hub, hub.ipv4.isEmpty {
            missing.append(
                "\(hub.name), the hub, has no ipv4 in nix/fleet.toml: spokes dial an address, because a name would "
                    + "hang on DNS at boot")
        }
        if operators.isEmpty {
            missing.append(
                "nix/fleet.toml has no [[operator]]: nobody could sign in. `wg genkey` and `ssh-keygen -t ed25519` "
                    + "make the two keys")
        }
        return missing
    }

    /// The next address of a spoke that nobody has.
    package var freeAddress: String? {
        guard let network = ManagementNetwork(fleet.network) else { return nil }
        let taken = Set(nodes.map(\.address))
        return (2...199).lazy.map { "\(network.prefix).\($0)" }.first { !taken.contains($0) }
    }
}
