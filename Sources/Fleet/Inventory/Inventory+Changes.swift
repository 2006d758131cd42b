/// The manual steps that remain after a change of the inventory, because a node is also known elsewhere.
extension Inventory {
    /// The steps after a node was removed from the inventory.
    package func remains(of node: Node) -> [String] {
        var left = [
            "clavitor-soc deploy: the hub forgets its WireGuard key, and the others no longer name it to clients",
            "clavitor-monitor node remove \(node.name), on the hub: it would be told of as silent",
        ]
        if !node.ipv4.isEmpty { left += names(leftBy: node) }
        left.append(
            """
            keys/\(node.name).*, secrets/\(node.name) and provision/\(node.name).* in the state directory: a new node of that \
            name would take them up again
            """)
        left.append("the machine: it has its vaults, its key and its secrets until its disk is erased")
        return left
    }

    private func addresses(of node: Node) -> [(record: String, text: String)] {
        (node.ipv4.isEmpty ? [] : [("A", node.ipv4)]) + (node.publicIPv6.map { [("AAAA", $0)] } ?? [])
    }

    private func records(of node: Node) -> [String] {
        addresses(of: node).map { "\(node.domain) \($0.record) \($0.text)" }
    }

    private func names(leftBy node: Node) -> [String] {
        let address = addresses(of: node).map(\.text).joined(separator: " and ")
        let own = """
            delete \(records(of: node).joined(separator: " and ")) where the name is kept: whoever is given that address next \
            could have a certificate for it
            """
        guard let dns else { return [own] }
        let nearest = "clavitor-soc dns apply: \(address) leaves \(dns.nearest)"
        guard dns.provider == .gdnsd else { return [own, nearest] }
        return [own, nearest, "clavitor-soc dns gdnsd-config: print it anew, or \(address) counts as well"]
    }

    /// The steps after a value of a node was changed.
    package func remains(afterSetting key: Node.CodingKeys, of before: Node, now node: Node) -> [String] {
        switch key {
        case .name:
            [
                """
                in the state directory: mv secrets/\(before.name) secrets/\(node.name); in keys: mv \(before.name).key \
                \(node.name).key, or .key.age
                """,
                """
                clavitor-monitor node add \(node.name), on the hub, then clavitor-soc secrets set \(node.name) push-url and \
                secrets push \(node.name); last, clavitor-monitor node remove \(before.name)
                """,
                "clavitor-soc deploy; the domain stays \(node.domain)",
            ]
        case .ipv6: names(of: node, insteadOf: before) + ["clavitor-soc deploy --limit \(node.name)"]
        case .ipv4:
            names(of: node, insteadOf: before)
                + (node.role == .hub ? ["clavitor-soc deploy: the spokes dial the hub's address"] : [])
        case .domain:
            records(of: before).map { "delete \($0) where the name is kept" }
                + names(of: node, insteadOf: before) + ["clavitor-soc deploy"]
        case .address, .publicKey, .role: ["clavitor-soc deploy"]
        case .city, .region, .latitude, .longitude, .provider, .tier, .hostKey, .disk, .root, .esp: []
        case .pushToken:
            [
                "clavitor-soc deploy: the monitor takes heartbeats by it",
                "clavitor-soc secrets push \(node.name) push-url",
            ]
        case .registration:
            ["clavitor-soc deploy --limit \(node.name)"]
                + (dns == nil ? [] : ["clavitor-soc dns apply: who takes newcomers is who is in the nearest name"])
        }
    }

    private func names(of node: Node, insteadOf before: Node) -> [String] {
        guard let dns else { return records(of: node).map { "\($0), where the name is kept" } }
        let isOther = dns.provider == .gdnsd && (node.ipv4, node.ipv6) != (before.ipv4, before.ipv6)
        return (isOther ? ["clavitor-soc dns gdnsd-config: print it anew"] : []) + ["clavitor-soc dns apply"]
    }
}
